"""JSON whose integers stay what they are, however long: parsers made for speed turn them into floats."""

from typing import Any, Final

import orjson
from pydantic_core import from_json

#: Makes all digits alike: to look for so many of them with a regular expression takes longer than to parse.
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
#: 64 bits hold at most so many digits.
_LONG: Final = b"0" * 20


def parse_exact(text: bytes | str) -> Any:
    """
    Return the value that *text* is.

    Raises:
        ValueError: it is not JSON, or has a number beyond a float's range.
    """
    encoded = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    value = orjson.loads(encoded)
    return from_json(encoded) if _LONG in encoded.translate(_DIGITS) else value
