"""A call as it came over HTTP: what verifiers and translators get to see."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from routers.refusal import RefusalReason, Refused

MAX_HEADER_BYTES: Final = 4096
"""A longer value of a header that we look at is refused: no provider sends one."""


@dataclass(frozen=True, slots=True)
class Call:
    """
    One HTTP request, read in full and not yet believed.

    Headers are kept as sent, duplicates included, with lower-case names.
    *public_url* is the configured address of the endpoint, never derived from the request:
    some providers sign it. *remote_address* is the caller's, seen through the trusted proxies only.
    *path_secret* is what followed the source's name in the path. *evidence* and *fetched* are what the
    provider's API answered: the key that proves the call, and the facts that a thin call only points to.
    """

    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()
    query: bytes = b""
    remote_address: str = ""
    method: str = "POST"
    public_url: str = field(default="", kw_only=True)
    path_secret: str = field(default="", kw_only=True, repr=False)
    evidence: bytes = field(default=b"", kw_only=True)
    fetched: bytes | None = field(default=None, kw_only=True)

    @property
    def content(self) -> bytes:
        """What the call says: the API's answer where one was asked for, else the body, else the query."""
        return self.fetched if self.fetched is not None else self.body or self.query

    def has_header(self, name: str) -> bool:
        """Tell whether the header *name* is there at all."""
        wanted = name.lower().encode("ascii")
        return any(key.lower() == wanted for key, _ in self.headers)

    def header(self, name: str) -> str:
        """
        The value of the header *name*, which must be there exactly once.

        Raises:
            Refused: the header is missing, repeated, too long, or not printable ASCII.
        """
        wanted = name.lower().encode("ascii")
        length = len(wanted)
        # Most of them differ in length already.
        values = [value for key, value in self.headers if len(key) == length and key.lower() == wanted]
        if not values:
            raise Refused(RefusalReason.HEADER_MISSING, name)
        if len(values) > 1:
            raise Refused(RefusalReason.HEADER_REPEATED, f"{name} came {len(values)} times")
        value = values[0]
        if len(value) > MAX_HEADER_BYTES:
            raise Refused(RefusalReason.HEADER_MALFORMED, f"{name} has {len(value)} bytes")
        if not value.isascii():
            raise Refused(RefusalReason.HEADER_MALFORMED, f"{name} is not ASCII")
        return value.decode("ascii").strip()
