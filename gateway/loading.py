"""Imports that take seconds."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """
    Import within this what takes long: it takes a seventh less.

    What is imported stays, so Python finds nothing when it searches all of that for garbage again and again.
    """
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()
