"""Senders of whatever else there is: a module here with a `PROVIDER` is found by its kind."""
