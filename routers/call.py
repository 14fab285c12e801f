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
    some providers sign it.
    """

    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()
    query: bytes = b""
    remote_address: str = ""
    method: str = "POST"
    public_url: str = field(default="", kw_only=True)

    def header(self, name: str) -> str:
        """
        The value of the header *name*, which must be there exactly once.

        Raises:
            Refused: the header is missing, repeated, too long, or not printable ASCII.
        """
        wanted = name.lower().encode("ascii")
        values = [value for key, value in self.headers if key.lower() == wanted]
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
