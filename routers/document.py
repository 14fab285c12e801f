"""A provider's JSON body, read with care."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Self

import orjson

from routers.call import Call
from routers.form import form_of
from routers.literal_json import Number, parse_literal

_TOKEN: Final = re.compile(r"[0-9a-f]{2}[a-z2-7]{24}")
"""The form of an expectation's token: two hex digits of its partition, 120 random bits in base32."""

_WHOLE: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)

_CURRENCY: Final = re.compile(r"[A-Z0-9]{3,10}")


class Unreadable(Exception):
    """The body is authentic, but not in the form that we know of its provider. *where* names the spot."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


class Document:
    """
    A JSON object with typed getters.

    Each getter takes the path to the value. `find_*` answers None for what is missing or of another type;
    the others raise.

    Raises:
        Unreadable: a value that the translation rests on is missing or of another type.
    """

    __slots__ = ("raw",)

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """Return the object that *body* is."""
        try:
            raw = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Unreadable("the body is not JSON") from error
        if not isinstance(raw, dict):
            raise Unreadable("the body is not a JSON object")
        return cls(raw)

    @classmethod
    def from_literals(cls, body: bytes) -> Self:
        """Return the object that *body* is, its numbers as the text that they were written as."""
        try:
            raw = parse_literal(body)
        except ValueError as error:
            raise Unreadable("the body is not JSON") from error
        if not isinstance(raw, dict):
            raise Unreadable("the body is not a JSON object")
        return cls(raw)

    @classmethod
    def from_form(cls, call: Call) -> Self:
        """Return the fields of the form in *call*'s body, or in its query if that is where it stands."""
        try:
            return cls(form_of(call))
        except ValueError as error:
            raise Unreadable("the body is not a form") from error

    def find(self, *path: str) -> Any:
        """Return whatever is at *path*."""
        value: Any = self.raw
        for step in path:
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        return value

    def find_text(self, *path: str) -> str | None:
        """Return the text at *path*; an empty one counts as missing."""
        # As `find` does; texts are most of what is read of a body.
        value: Any = self.raw
        for step in path:
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        return value if isinstance(value, str) and value else None

    def text(self, *path: str) -> str:
        """Return the text at *path*."""
        value = self.find_text(*path)
        if value is None:
            raise Unreadable(".".join(path))
        return value

    def find_integer(self, *path: str) -> int | None:
        """Return the integer at *path*; true and false are none."""
        value = self.find(*path)
        if isinstance(value, Number):
            return int(value) if _WHOLE.fullmatch(value) else None
        return value if type(value) is int else None

    def find_literal(self, *path: str) -> str | None:
        """Return the text or the number at *path*, as it was written."""
        value = self.find(*path)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return value if isinstance(value, str) and value else None

    def literal(self, *path: str) -> str:
        """Return the text or the number at *path*, as it was written."""
        value = self.find_literal(*path)
        if value is None:
            raise Unreadable(".".join(path))
        return value

    def amount(self, *path: str) -> int:
        """Return the amount of minor units at *path*, zero or more."""
        value = self.find_integer(*path)
        if value is None or value < 0:
            raise Unreadable(".".join(path))
        return value

    def currency(self, *path: str) -> str:
        """Return the currency's code at *path*, in upper case."""
        value = self.text(*path).upper()
        if _CURRENCY.fullmatch(value) is None:
            raise Unreadable(".".join(path))
        return value

    def find_object(self, *path: str) -> "Document":
        """Return the object at *path*; an empty one where there is none."""
        value = self.find(*path)
        return Document(value if isinstance(value, dict) else {})

    def find_objects(self, *path: str) -> list["Document"]:
        """Return the objects in the list at *path*."""
        value = self.find(*path)
        return [Document(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def find_time(self, *path: str) -> datetime | None:
        """Return the point in time at *path*: Unix seconds, or ISO 8601 with its zone."""
        value = self.find(*path)
        try:
            if isinstance(value, Number):
                return datetime.fromtimestamp(int(value), UTC)
            if isinstance(value, str):
                moment = datetime.fromisoformat(value)
                return moment.astimezone(UTC) if moment.tzinfo else None
            if type(value) is int:
                return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return None
        return None


def find_token(*carried: str | None) -> str | None:
    """Return the first value that has the form of a token of ours; other values may travel there too."""
    return next((value for value in carried if value is not None and _TOKEN.fullmatch(value)), None)
