"""Genuine example bodies, one module for each booking provider, in the shape that it sends."""
