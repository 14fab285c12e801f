"""One value of a conversation as JSON, exactly: big integers, empty lists and any dictionary survive."""

import json
from typing import Any

import orjson

#: orjson turns an integer beyond 64 bits into a float and refuses keys that are not text. Such a value is
#: written by the standard library, behind this mark, which no JSON text begins with.
_EXACT = b"j"
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def dump(value: Any) -> bytes:
    """
    Return *value* as stored.

    Raises:
        TypeError: *value* has no JSON form.
    """
    try:
        return orjson.dumps(value, option=_STRICT)
    except TypeError:
        return _EXACT + json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def load(stored: bytes) -> Any:
    """Return the value that ``dump`` stored."""
    if stored[:1] == _EXACT:
        return json.loads(stored[1:].decode("utf-8", "surrogatepass"))
    return orjson.loads(stored)
