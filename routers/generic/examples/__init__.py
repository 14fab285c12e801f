"""Genuine example bodies, one module for each generic kind."""
