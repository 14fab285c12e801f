"""JMESPath over a body whose numbers keep their text: what a configured source reads where."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field

from routers.document import Unreadable
from routers.literal_json import Number

#: A path through objects, without any of JMESPath's other words.
PLAIN_PATH: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
#: What is larger counts milliseconds: as seconds it would be a year after 5000.
MAX_SECONDS: Final = 10**11


def _is_jmespath(expression: str) -> str:
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        where = str(error).splitlines()[0][:100]
        raise ValueError(f"is not JMESPath ({where}); write a path like data.order.id") from None
    return expression


Expression = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_is_jmespath)]
"""https://jmespath.org/specification.html. A literal text is written in single quotes: ``'EUR'``."""


class Selection:
    """
    What one expression finds in a body.

    Raises:
        Unreadable: the expression cannot be applied to this body; *name* says which one it was.
    """

    __slots__ = ("_expression", "_name", "_steps")

    def __init__(self, name: str, expression: str) -> None:
        self._name = name
        self._expression = jmespath.compile(expression)
        self._steps = expression.split(".") if PLAIN_PATH.fullmatch(expression) else None

    def find(self, body: Mapping[str, Any]) -> Any:
        """Return what is there, None if nothing is."""
        if self._steps is not None:
            # Most expressions; walked by hand they cost a tenth.
            found: Any = body
            for step in self._steps:
                found = found.get(step) if isinstance(found, dict) else None
            return found
        try:
            return self._expression.search(body)
        except (
            JMESPathError,
            TypeError,
            ValueError,
            AttributeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            raise Unreadable(self._name) from error

    def find_text(self, body: Mapping[str, Any]) -> str | None:
        """Return the text or the number's literal text; an empty one counts as missing."""
        value = self.find(body)
        return str(value) if isinstance(value, str) and value else None

    def text(self, body: Mapping[str, Any]) -> str:
        """Return the text, which must be there."""
        value = self.find_text(body)
        if value is None:
            raise Unreadable(self._name)
        return value

    def find_time(self, body: Mapping[str, Any]) -> datetime | None:
        """Return the time: ISO 8601 with its zone, or whole Unix seconds or milliseconds."""
        value = self.find(body)
        try:
            if isinstance(value, Number) or (isinstance(value, str) and value.isdecimal()):
                number = int(value)
                return datetime.fromtimestamp(number if number < MAX_SECONDS else number / 1000, UTC)
            if isinstance(value, str):
                moment = datetime.fromisoformat(value)
                return moment.astimezone(UTC) if moment.tzinfo else None
        except (ValueError, OverflowError, OSError):
            return None
        return None
