"""Genuine example bodies, one module for each payment provider, in the shape that it sends."""
