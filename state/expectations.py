"""What a feature waits for, under an opaque token that travels through the provider and comes back."""

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from state.packing import pack, unpack

_TOKEN = re.compile(r"[0-9a-f]{2}[a-z2-7]{24}")


@dataclass(frozen=True, slots=True)
class Expectation:
    """A payment or a booking that a feature waits for."""

    token: str
    feature: str
    kind: str
    """``payment`` or ``booking``."""
    name: str
    """What the feature calls it."""
    amount_minor: int | None = None
    currency: str | None = None
    """ISO 4217 in capitals, or XTR; with *amount_minor*, what a payment must bring."""
    lives_for: timedelta = timedelta(days=30)

    def pack(self) -> bytes:
        """Return the terms as stored beside the token."""
        return pack((self.token, self.feature, self.kind, self.name, self.amount_minor, self.currency))

    @classmethod
    def unpack(cls, terms: bytes) -> "Expectation":
        """Return the expectation whose terms were stored."""
        return cls(*unpack(terms))


def mint(partition: int) -> str:
    """
    Return a new token for a conversation of *partition*: 26 characters of ``0-9a-z``, 120 of its bits random.

    It begins with the partition, so that a call which carries it is kept beside the conversation even when
    it arrives before the expectation is registered. It fits every carrier: 128 bytes of an invoice payload,
    a Stripe ``client_reference_id``, a ``utm_content``, a form's ``Shp_`` field.
    """
    return f"{partition:02x}{base64.b32encode(secrets.token_bytes(15)).decode().lower()}"


def partition_of_token(token: str, partitions: int) -> int | None:
    """Return the partition that *token* names, or None if it is no token of ours."""
    if not _TOKEN.fullmatch(token):
        return None
    partition = int(token[:2], 16)
    return partition if partition < partitions else None
