"""Events that wait for something that is not ours to bring: a state, or a conversation."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from state.conversation import Conversation
from state.envelope import Envelope
from state.grouping import Script
from state.kept import CHUNK, KeptEvent, KeptEvents, id_of, split_id
from state.keys import Keys
from state.packing import pack
from state.snapshot import pairs
from state.standings import KEEP_OUTCOMES

_UNPARK: Final = Script.load("unpark", when_full=True)
_GIVE_UP: Final = Script.load("give_up", after=["letters"], when_full=True)
_KEEP_MS: Final = int(KEEP_OUTCOMES.total_seconds() * 1000)
_WHY: Final = pack({"reason": "discarded", "detail": "by hand, while it was waiting"})


@dataclass(frozen=True, slots=True)
class ParkedEvent(KeptEvent):
    """One event that came before its conversation was ready for it."""

    until_ms: int
    """Then it becomes a dead letter."""
    first_id: str | None = None
    """The inbox id that its sender knows it by, if it has another one now."""


class ParkedEvents(KeptEvents[ParkedEvent]):
    """The parked events of all partitions, in the order in which they were accepted."""

    async def count(self) -> int:
        """
        Return how many there are.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        keys = self._keys
        return await self._total("ZCARD", [keys.parked(number) for number in range(keys.partitions)])

    async def get(self, event_id: str) -> ParkedEvent | None:
        partition, entry_id = split_id(event_id, self._keys.partitions)
        return await self._event(partition, entry_id)

    async def replay(self, event_id: str) -> bool:
        """
        Look at one event again, as if the state had changed; False: it is not parked.

        If the state still does not fit, it is parked again, for the rest of its time.

        Raises:
            NotAnId: *event_id* is no id.
            StoreUnavailable: Redis did not answer.
        """
        event = await self.get(event_id)
        if event is None or event.conversation is None:
            return False
        keys, (partition, entry_id) = self._keys, split_id(event_id, self._keys.partitions)
        names = [
            keys.parked(partition),
            keys.parked_of(event.conversation),
            keys.inbox(partition),
            keys.lease(partition),
        ]
        arguments = [entry_id, keys.wake_channel("")]
        return bool(await self._scripts.calls.script(_UNPARK, names, arguments))

    async def discard(self, event_id: str) -> bool:
        """
        Make a dead letter of one event; False: it is not parked.

        Raises:
            NotAnId: *event_id* is no id.
            StoreUnavailable: Redis did not answer.
        """
        event = await self.get(event_id)
        if event is None or event.conversation is None:
            return False
        keys = self._keys
        partition, entry_id = split_id(event_id, keys.partitions)
        names = [
            keys.inbox(partition),
            *_places(keys, partition, entry_id),
            keys.ended(partition, event.first_id or entry_id),
            keys.parked_of(event.conversation),
        ]
        told = 0 if event.envelope.source.startswith("telegram:") else _KEEP_MS
        return bool(await self._scripts.calls.script(_GIVE_UP, names, [entry_id, _WHY, told]))

    async def read(self, partition: int, start: str, *, newest_first: bool) -> Sequence[ParkedEvent]:
        rows = await self._scripts.calls.command("ZRANGE", self._keys.parked(partition), 0, -1)
        ids = sorted((row.decode() for row in rows), key=_place, reverse=newest_first)
        if start not in {"-", "+"}:
            edge, inclusive = _place(start.removeprefix("(")), not start.startswith("(")
            ids = [
                each
                for each in ids
                if (inclusive and _place(each) == edge)
                or (_place(each) < edge if newest_first else _place(each) > edge)
            ]
        found: list[ParkedEvent] = []
        while ids and len(found) < CHUNK:
            wanted, ids = ids[: CHUNK - len(found)], ids[CHUNK - len(found) :]
            events = await asyncio.gather(*(self._event(partition, each) for each in wanted))
            found += [event for event in events if event is not None]
        return found

    async def _event(self, partition: int, entry_id: str) -> ParkedEvent | None:
        command = self._scripts.calls.command
        until, rows = await asyncio.gather(
            command("ZSCORE", self._keys.parked(partition), entry_id),
            command("XRANGE", self._keys.inbox(partition), entry_id, entry_id),
        )
        if until is None or not rows:
            return None
        fields = pairs(rows[0][1])
        conversation = Conversation.decode(fields[b"c"].decode())
        return ParkedEvent(
            id_of(partition, entry_id),
            Envelope.unpack(fields[b"e"], conversation),
            conversation,
            _place(entry_id)[0],
            int(until),
            fields[b"o"].decode() if b"o" in fields else None,
        )


class UnresolvedEvents(KeptEvents[KeptEvent]):
    """The authentic events whose conversation is not known yet, of all partitions."""

    async def count(self) -> int:
        """
        Return how many there are.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        keys = self._keys
        return await self._total("XLEN", [keys.unresolved(number) for number in range(keys.partitions)])

    async def get(self, event_id: str) -> KeptEvent | None:
        partition, entry_id = split_id(event_id, self._keys.partitions)
        key = self._keys.unresolved(partition)
        rows = await self._scripts.calls.command("XRANGE", key, entry_id, entry_id)
        return _unresolved(partition, *rows[0]) if rows else None

    async def discard(self, event_id: str) -> bool:
        """
        Make a dead letter of one event; False: it is not unresolved.

        Raises:
            NotAnId: *event_id* is no id.
            StoreUnavailable: Redis did not answer.
        """
        keys = self._keys
        partition, entry_id = split_id(event_id, keys.partitions)
        names = [
            keys.unresolved(partition),
            *_places(keys, partition, entry_id),
            keys.ended(partition, entry_id),
        ]
        return bool(await self._scripts.calls.script(_GIVE_UP, names, [entry_id, _WHY, _KEEP_MS]))

    async def read(self, partition: int, start: str, *, newest_first: bool) -> Sequence[KeptEvent]:
        key, command = self._keys.unresolved(partition), self._scripts.calls.command
        if newest_first:
            rows = await command("XREVRANGE", key, start, "-", "COUNT", CHUNK)
        else:
            rows = await command("XRANGE", key, start, "+", "COUNT", CHUNK)
        return [_unresolved(partition, entry_id, flat) for entry_id, flat in rows]


def _places(keys: Keys, partition: int, entry_id: str) -> list[str]:
    return [
        keys.dead(partition),
        keys.attempts(partition),
        keys.due(partition),
        keys.journal(partition, entry_id),
        keys.parked(partition),
        keys.resolved(partition),
    ]


def _unresolved(partition: int, entry_id: bytes, flat: Sequence[bytes]) -> KeptEvent:
    envelope, place = Envelope.unpack(pairs(flat)[b"e"], None), entry_id.decode()
    return KeptEvent(id_of(partition, place), envelope, None, _place(place)[0])


def _place(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)
