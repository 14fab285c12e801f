"""Conversations into our store and out of it, one at a time and each whole."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from enum import Enum

from state.conversation import Conversation
from state.outcomes import Committed
from state.portable import Portable
from state.reading import Reading
from state.scripts import Scripts
from state.snapshot import pairs

STEP = 500


class Taken(Enum):
    """What became of a conversation that was to be taken in."""

    IMPORTED = "imported"
    """It is in our store now, as it was."""
    UNCHANGED = "there already, the same"
    """An earlier import has taken it in."""
    KEPT = "there already, newer"
    """Ours has been used since; it stays."""
    EMPTY = "empty"
    """There was nothing to take."""


class MovingStore:
    """Our store, as conversations move in and out of it."""

    def __init__(self, scripts: Scripts, *, expires_after: timedelta) -> None:
        self._scripts = scripts
        self._reading = Reading(scripts.calls, scripts.keys)
        self._ttl_ms = int(expires_after.total_seconds() * 1000)

    async def take(self, portable: Portable, *, dry_run: bool = False) -> Taken:
        """
        Take in a conversation that we do not have; one that we have had stays as it is.

        With *dry_run* nothing is written, and the answer is what would have become of it.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        if portable.empty:
            return Taken.EMPTY
        keys, calls = self._scripts.keys, self._scripts.calls
        ours, was_here = await asyncio.gather(
            self._read(portable.conversation),
            # A conversation that was ended is gone, but the history tells that it was here.
            calls.command("EXISTS", keys.history(portable.conversation)),
        )
        if ours is not None:
            return Taken.UNCHANGED if ours.alike(portable) else Taken.KEPT
        if was_here:
            return Taken.KEPT
        if dry_run:
            return Taken.IMPORTED
        answer = await self._scripts.commit(portable.change(self._ttl_ms))
        return Taken.IMPORTED if answer.outcome is Committed.COMMITTED else Taken.KEPT

    async def size(self) -> int:
        """
        Return how many keys there are to look at.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        return int(await self._scripts.calls.command("DBSIZE"))

    async def steps(self) -> AsyncIterator[tuple[int, Sequence[Portable]]]:
        """
        Read every conversation: for each step, how many keys were looked at, and what was found.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        glob, cursor = f"{self._scripts.keys.prefix}:{{*}}:c:*", b"0"
        while True:
            cursor, names = await self._scripts.calls.command("SCAN", cursor, "MATCH", glob, "COUNT", STEP)
            conversations = sorted({name.decode().partition("}:c:")[2] for name in names})
            found = await asyncio.gather(*(self._read(Conversation.decode(name)) for name in conversations))
            yield STEP, [portable for portable in found if portable is not None]
            if cursor == b"0":
                return

    async def _read(self, conversation: Conversation) -> Portable | None:
        """Return what we hold of *conversation*; None: nothing."""
        keys, calls = self._scripts.keys, self._scripts.calls
        snapshot, garbage, expires_in_ms, (seconds, microseconds) = await asyncio.gather(
            self._reading.read(conversation),
            calls.command("HGETALL", keys.garbage(conversation)),
            calls.command("PTTL", keys.conversation(conversation)),
            calls.command("TIME"),
        )
        if not snapshot.fields:
            return None
        return Portable.stored(
            conversation,
            snapshot.fields,
            pairs(garbage),
            now_ms=int(seconds) * 1000 + int(microseconds) // 1000,
            expires_in_ms=expires_in_ms if expires_in_ms > 0 else None,
        )
