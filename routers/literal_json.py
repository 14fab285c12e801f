"""JSON whose numbers stay the text that they were sent as: what is signed, and what money is read from."""

import json
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 64


class Number(str):
    """A JSON number, as its literal text: ``42.50``, ``1e-8``."""

    __slots__ = ()


def parse_literal(body: bytes) -> Any:
    """
    The value that *body* is, each number of it a `Number`.

    Raises:
        ValueError: it is not JSON in UTF-8, nests deeper than `MAX_DEPTH`, or holds half of a surrogate pair.
    """
    try:
        text = body.decode("utf-8")
        # `parse_constant` is asked for NaN and Infinity, which are no JSON.
        value = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_no_json)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    _check(value, MAX_DEPTH)
    return value


def canonical(value: Any) -> bytes:
    """
    *value* of `parse_literal` as JavaScript's `JSON.stringify` writes it with the keys of each object sorted.

    Numbers are written as they came: another program's `1e-8` or `10.0` would come out differently.
    """
    return _written(value).encode("utf-8")


def _written(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{_quoted(key)}:{_written(value[key])}" for key in sorted(value, key=_utf16))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    return "null" if value is None else "true" if value else "false"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _utf16(key: str) -> bytes:
    # https://tc39.es/ecma262/#sec-sortcompare: JavaScript compares UTF-16 code units.
    return key.encode("utf-16-be")


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _check(value: Any, depth_left: int) -> None:
    if depth_left < 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        for key, inner in value.items():
            key.encode("utf-8")
            _check(inner, depth_left - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth_left - 1)
    elif isinstance(value, str):
        # Half of a surrogate pair can be written in JSON and in no signature: a UnicodeEncodeError, which is
        # a ValueError.
        value.encode("utf-8")
