"""How an event stands: owed, resting, or ended."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from state.grouping import GroupedCalls
from state.keys import Keys
from state.packing import unpack, unpack_from_lua

#: How long it is known how an event ended.
KEEP_OUTCOMES: Final = timedelta(days=7)
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
            return _ended(ended, accepted_at_ms)
        if await self._calls.command("XRANGE", self._keys.inbox(partition), entry_id, entry_id):
            parked = await self._calls.command("ZSCORE", self._keys.parked(partition), entry_id)
            return Outcome(Standing.ACCEPTED if parked is None else Standing.PARKED, accepted_at_ms)
        if await self._calls.command("XRANGE", self._keys.unresolved(partition), entry_id, entry_id):
            return Outcome(Standing.UNRESOLVED, accepted_at_ms)
        # It may have ended between the looks.
        ended = await self._calls.command("GET", self._keys.ended(partition, entry_id))
        return _ended(ended, accepted_at_ms) if ended is not None else None


def _ended(packed: bytes, accepted_at_ms: int) -> Outcome:
    how, at_ms, detail, *change = unpack_from_lua(packed)
    standing = Standing(how.decode())
    reason = unpack(detail)["reason"] if standing is Standing.DEAD else detail.decode()
    before, after, revision = change or (None, None, None)
    return Outcome(
        standing,
        accepted_at_ms,
        int(at_ms),
        reason or None,
        before.decode() if before else None,
        after.decode() if after else None,
        revision,
    )
