"""Ids of example objects: the same token gives the same ids, so that those of one payment fit."""

import hashlib

from routers.provider import Example


def number_of(example: Example, salt: str = "") -> int:
    """A whole number of up to nine digits."""
    return int(_digest(example, salt)[:7], 16)


def name_of(example: Example, salt: str = "", *, length: int = 24) -> str:
    """*length* hexadecimal digits."""
    return _digest(example, salt)[:length]


def _digest(example: Example, salt: str) -> str:
    return hashlib.sha256(f"{example.object_id or example.token}/{salt}".encode()).hexdigest()
