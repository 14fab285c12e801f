"""Booking providers, one file each: a module here with a `PROVIDER` is found by its kind."""
