"""The edge: from a caller's bytes to an accepted event. A kind of caller has a folder, a provider a file."""
