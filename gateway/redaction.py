"""No secret reaches a log: the known values, and whatever looks like a bot's token or a webhook's secret."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

REDACTED: Final = "[redacted]"

#: A shorter value would be found inside ordinary words.
SHORTEST_SECRET: Final = 6

#: What longer texts say is seldom said again.
SHORT_CHARS: Final = 64

_SHAPES: Final = re.compile(
    r"(?<!\d)\d{5,20}:[\w-]{30,}"  # a bot's token; it is part of every Bot API URL
    r"|\bwhsec_[\w+/=-]{8,}"  # Stripe, Standard Webhooks
    r"|\b(?:sk|rk)_(?:live|test)_\w{8,}"  # Stripe's API keys
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # user and password in a URL
)


class Redaction:
    """Takes the *secrets* out of whatever is to be logged."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        long_enough = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        # Longest first: of two secrets, one may be the beginning of the other.
        known = "|".join(re.escape(secret) for secret in sorted(long_enough, key=len, reverse=True))
        self._known = re.compile(known) if known else None
        # Nearly all of a line are words that every line has.
        self._short = lru_cache(maxsize=1024)(self._searched)

    def text(self, text: str) -> str:
        """*text* without what is secret."""
        return self._short(text) if len(text) <= SHORT_CHARS else self._searched(text)

    def _searched(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        return _SHAPES.sub(REDACTED, text)

    def value(self, value: Any) -> Any:
        """*value* with each text in it redacted; what is neither text nor container is logged as text."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, bytes | bytearray):
            return self.text(value.decode("utf-8", "replace"))
        if isinstance(value, Sequence | set | frozenset):
            return [self.value(inner) for inner in value]
        return self.text(repr(value))
