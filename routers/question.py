"""What we ask a provider's API: a value, so that providers stay pure and one place does the asking."""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Question:
    """
    One request to a provider's API.

    *keep_for*: how long the answer may be used again (keys and certificates); None: asked anew each time.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    method: str = "GET"
    body: bytes = field(default=b"", repr=False)
    keep_for: timedelta | None = None


def basic(user: str, password: str) -> tuple[str, str]:
    """The header of HTTP Basic authentication (RFC 7617)."""
    return "Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")


def bearer(token: str) -> tuple[str, str]:
    """The header of a bearer token (RFC 6750)."""
    return "Authorization", f"Bearer {token}"
