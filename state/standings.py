"""How an event stands: owed, resting, or ended."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from typing import Any, Final

from state.conversation import Conversation
from state.grouping import GroupedCalls
from state.keys import Keys
from state.packing import unpack, unpack_from_lua
from state.snapshot import pairs

#: How long it is known how an event ended.
KEEP_OUTCOMES: Final = timedelta(days=7)
_MOVED: Final = b"moved"
_EVENT_ID: Final = re.compile(r"([0-9a-f]{2})-([0-9]{1,15}-[0-9]{1,10})")


class Standing(Enum):
    """Where an event is on its way."""

    ACCEPTED = "accepted"
    """It is stored, and will be handled."""
    APPLIED = "applied"
    """Its handler ran, and what it changed is in force."""
    IGNORED = "ignored"
    """It changed nothing, for the reason given."""
    PARKED = "parked"
    """It waits for a change of the conversation's state."""
    UNRESOLVED = "unresolved"
    """It is kept until its conversation is known."""
    DEAD = "dead"
    """It was given up, for the reason given."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one event stands."""

    standing: Standing
    accepted_at_ms: int
    ended_at_ms: int | None = None
    reason: str | None = None
    from_state: str | None = None
    to_state: str | None = None
    revision: int | None = None
    conversation: Conversation | None = None
    """Whom it is for; None while that is not known."""
    drafts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The fields of each draft that it wrote or removed; ``*`` stands for a cleared draft."""
    did: Sequence[str] = ()
    """What the chat was owed for it."""

    @property
    def final(self) -> bool:
        """Nothing more will happen to the event by itself."""
        return self.ended_at_ms is not None


class Outcomes:
    """Tells how events stand."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def of(self, event_id: str) -> Outcome | None:
        """
        Return how the event stands; None: no such event is known, or not any more.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        match = _EVENT_ID.fullmatch(event_id)
        if match is None or int(match[1], 16) >= self._keys.partitions:
            return None
        partition, entry_id = int(match[1], 16), match[2]
        accepted_at_ms = int(entry_id.partition("-")[0])
        if (ended := await self._calls.command("GET", self._keys.ended(partition, entry_id))) is not None:
            return await self._end(ended, accepted_at_ms)
        if (owed := await self._owed(partition, entry_id, accepted_at_ms)) is not None:
            return owed
        if await self._calls.command("XRANGE", self._keys.unresolved(partition), entry_id, entry_id):
            return Outcome(Standing.UNRESOLVED, accepted_at_ms)
        # It may have been resolved or have ended between the looks.
        resolved = await self._calls.command("HGET", self._keys.resolved(partition), entry_id)
        if resolved is not None:
            owed = await self._owed(partition, resolved.decode(), accepted_at_ms)
        if owed is not None:
            return owed
        ended = await self._calls.command("GET", self._keys.ended(partition, entry_id))
        return await self._end(ended, accepted_at_ms) if ended is not None else None

    async def _end(self, packed: bytes, accepted_at_ms: int) -> Outcome | None:
        how, _, detail, *_ = unpack_from_lua(packed)
        if how != _MOVED:
            return _ended(packed, accepted_at_ms)
        # Its group has become a supergroup, and the event went with it.
        moved = await self.of(detail.decode())
        return replace(moved, accepted_at_ms=accepted_at_ms) if moved is not None else None

    async def _owed(self, partition: int, entry_id: str, accepted_at_ms: int) -> Outcome | None:
        rows = await self._calls.command("XRANGE", self._keys.inbox(partition), entry_id, entry_id)
        if not rows:
            return None
        parked = await self._calls.command("ZSCORE", self._keys.parked(partition), entry_id)
        standing = Standing.ACCEPTED if parked is None else Standing.PARKED
        conversation = Conversation.decode(pairs(rows[0][1])[b"c"].decode())
        return Outcome(standing, accepted_at_ms, conversation=conversation)


def _ended(packed: bytes, accepted_at_ms: int) -> Outcome:
    how, at_ms, detail, *more = unpack_from_lua(packed)
    known: list[Any] = [*more, *[None] * (5 - len(more))]
    conversation, before, after, revision, cause = known
    standing = Standing(how.decode())
    reason = unpack(detail)["reason"] if standing is Standing.DEAD else detail.decode()
    drafts, did = unpack(cause)[4:] if cause else ({}, ())
    return Outcome(
        standing,
        accepted_at_ms,
        int(at_ms),
        reason or None,
        before.decode() if before else None,
        after.decode() if after else None,
        revision,
        Conversation.decode(conversation.decode()) if conversation else None,
        drafts,
        did,
    )
