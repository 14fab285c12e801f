"""One value of a conversation as JSON, exactly: big integers, empty lists and any dictionary survive."""

import json
import math
from typing import Any

import orjson

#: orjson refuses integers beyond 64 bits and keys that are not text, and writes null for infinities. Such a
#: value is written by the standard library, behind this mark, which no JSON text begins with.
_EXACT = b"j"
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def dump(value: Any) -> bytes:
    """
    Return *value* as stored.

    Raises:
        TypeError: *value* has no JSON form.
    """
    try:
        stored = orjson.dumps(value, option=_STRICT)
    except TypeError:
        return _exactly(value)
    return _exactly(value) if b"null" in stored and _is_infinite(value) else stored


def _exactly(value: Any) -> bytes:
    return _EXACT + json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _is_infinite(value: Any) -> bool:
    """Tell whether an infinity or NaN, for which orjson writes null, is in *value*."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_is_infinite, value.values()))
    return isinstance(value, list | tuple) and any(map(_is_infinite, value))


def load(stored: bytes) -> Any:
    """Return the value that ``dump`` stored."""
    if stored[:1] == _EXACT:
        return json.loads(stored[1:].decode("utf-8", "surrogatepass"))
    return orjson.loads(stored)
