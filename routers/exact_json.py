"""JSON whose integers stay what they are, however long: parsers made for speed turn them into floats."""

import re
from typing import Any, Final

import orjson
from pydantic_core import from_json

#: 64 bits hold at most so many digits.
_LONG: Final = re.compile(rb"[0-9]{20}")


def parse_exact(text: bytes | str) -> Any:
    """
    Return the value that *text* is.

    Raises:
        ValueError: it is not JSON, or has a number beyond a float's range.
    """
    encoded = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    value = orjson.loads(encoded)
    return from_json(encoded) if _LONG.search(encoded) else value
