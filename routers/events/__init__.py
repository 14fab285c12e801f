"""Events of your own services: one meaning, whichever shape and door they come through."""
