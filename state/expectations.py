"""What a feature waits for, under an opaque token that travels through the provider and comes back."""

import asyncio
import base64
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from state.changes import Registration
from state.conversation import Conversation
from state.grouping import GroupedCalls
from state.keys import Keys
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
    source: str = ""
    """Whose provider is asked if nothing comes within *ends_within*; empty: nobody."""
    lives_for: timedelta = timedelta(days=30)
    ends_within: timedelta = timedelta(minutes=15)

    def pack(self) -> bytes:
        """Return the terms as stored beside the token."""
        terms = (self.token, self.feature, self.kind, self.name, self.amount_minor, self.currency)
        return pack((*terms, self.source) if self.source else terms)

    def registration(self, partition: int) -> Registration:
        """Return it as a part of a change of a conversation in *partition*."""
        return Registration(
            partition,
            self.token,
            self.pack(),
            int(self.lives_for.total_seconds() * 1000),
            self.source,
            int(self.ends_within.total_seconds() * 1000),
        )

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


@dataclass(frozen=True, slots=True)
class Expected:
    """A registered expectation: whose it is, and when it ends."""

    expectation: Expectation
    conversation: Conversation
    expires_at_ms: int


class Expectations:
    """Finds registered expectations by their tokens."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def find(self, token: str) -> Expected | None:
        """
        Return what is expected under *token*; None: nothing, or not any more.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        key = self._key(token)
        if key is None:
            return None
        (conversation, terms), expires_at_ms = await asyncio.gather(
            self._calls.command("HMGET", key, "conversation", "terms"),
            self._calls.command("PEXPIRETIME", key),
        )
        if conversation is None or terms is None:
            return None
        return Expected(
            Expectation.unpack(terms), Conversation.decode(conversation.decode()), int(expires_at_ms)
        )

    async def cancel(self, token: str) -> bool:
        """
        Forget *token*; tell whether anything was expected under it.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        key = self._key(token)
        return key is not None and bool(await self._calls.command("DEL", key))

    def _key(self, token: str) -> str | None:
        partition = partition_of_token(token, self._keys.partitions)
        return self._keys.expectation(partition, token) if partition is not None else None
