"""Events that are kept and not worked on: found by what they are, read in order, a page at a time."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from typing import Final, Generic, TypeVar

from state.conversation import Conversation
from state.envelope import Envelope
from state.keys import Keys
from state.scripts import Scripts

#: So many are read of each partition at once.
CHUNK = 25
LARGEST_PAGE = 500
_ID: Final = re.compile(r"([0-9a-f]{2}):([0-9]{1,15})-([0-9]{1,15})")

#: Where an entry stands among those of all partitions: milliseconds, number within them, partition.
Place = tuple[int, int, int]


class NotAnId(ValueError):
    """What should name a kept event names none."""


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """One event that is kept. *id* is ``NN:<place in its list>``, NN being the partition."""

    id: str
    envelope: Envelope
    conversation: Conversation | None
    kept_since_ms: int


Kept = TypeVar("Kept", bound=KeptEvent)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events are meant; what is None does not matter."""

    source: str | None = None
    type: str | None = None
    reason: str | None = None
    """How a dead letter's reason begins."""
    since_ms: int | None = None
    """Kept since then or later."""
    until_ms: int | None = None
    """Kept since before then."""

    def matches(self, event: KeptEvent) -> bool:
        """Tell whether *event* is one of those that are meant."""
        envelope, since = event.envelope, event.kept_since_ms
        return (
            (self.source is None or envelope.source == self.source)
            and (self.type is None or envelope.type == self.type)
            and (self.reason is None or getattr(event, "reason", "").startswith(self.reason))
            and (self.since_ms is None or since >= self.since_ms)
            and (self.until_ms is None or since < self.until_ms)
        )


ALL = Selection()


@dataclass(frozen=True, slots=True)
class Page(Generic[Kept]):
    """Some of the events, and the id after which the next ones come; None: there are no more."""

    events: Sequence[Kept]
    next_after: str | None


class KeptEvents(ABC, Generic[Kept]):
    """Reads events that are kept, of all partitions, in the order in which they came there."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    @property
    def _keys(self) -> Keys:
        return self._scripts.keys

    @abstractmethod
    async def read(self, partition: int, start: str, *, newest_first: bool) -> Sequence[Kept]:
        """Return up to `CHUNK` events of *partition* from *start*, as XRANGE takes it, on."""

    @abstractmethod
    async def get(self, event_id: str) -> Kept | None:
        """
        Return one event; None: it is not kept here, or not any more.

        Raises:
            StoreUnavailable: Redis did not answer.
        """

    async def page(
        self,
        selection: Selection = ALL,
        *,
        after: str | None = None,
        limit: int = 50,
        newest_first: bool = True,
    ) -> Page[Kept]:
        """
        Return up to *limit* of the events of *selection*, those that come after the one with id *after*.

        Raises:
            NotAnId: *after* is none.
            StoreUnavailable: Redis did not answer.
        """
        found: list[Kept] = []
        limit = min(limit, LARGEST_PAGE)
        async with aclosing(self.scan(selection, after=after, newest_first=newest_first)) as events:
            async for event in events:
                if len(found) == limit:
                    return Page(found, found[-1].id)
                found.append(event)
        return Page(found, None)

    async def scan(
        self, selection: Selection = ALL, *, after: str | None = None, newest_first: bool = False
    ) -> AsyncGenerator[Kept, None]:
        """
        Yield the events of *selection*; a few of each partition are in memory at a time.

        Raises:
            NotAnId: *after* is none.
            StoreUnavailable: Redis did not answer.
        """
        beyond = place_of_id(after, self._keys.partitions) if after is not None else None
        sign = -1 if newest_first else 1
        readers = [
            _Reader(self, number, _start(beyond, number, newest_first=newest_first), newest_first)
            for number in range(self._keys.partitions)
        ]
        await asyncio.gather(*(reader.fill() for reader in readers))
        heap = [(_ordered(reader.chunk[0].id, sign), reader.partition) for reader in readers if reader.chunk]
        heapify(heap)
        while heap:
            reader = readers[heap[0][1]]
            event = reader.chunk.pop(0)
            if not reader.chunk:
                await reader.fill()
            if reader.chunk:
                heapreplace(heap, (_ordered(reader.chunk[0].id, sign), reader.partition))
            else:
                heappop(heap)
            if selection.matches(event):
                yield event

    async def _total(self, command: str, keys: Sequence[str]) -> int:
        return sum(await asyncio.gather(*(self._scripts.calls.command(command, key) for key in keys)))


class _Reader(Generic[Kept]):
    """One partition's events, a chunk in memory."""

    def __init__(self, kept: KeptEvents[Kept], partition: int, start: str, newest_first: bool) -> None:
        self.partition = partition
        self.chunk: list[Kept] = []
        self._kept = kept
        self._start: str | None = start
        self._newest_first = newest_first

    async def fill(self) -> None:
        """Read the next chunk; it stays empty when there is none."""
        if self._start is None:
            return
        events = await self._kept.read(self.partition, self._start, newest_first=self._newest_first)
        self.chunk = list(events)
        self._start = f"({events[-1].id[3:]}" if len(events) == CHUNK else None


def id_of(partition: int, entry_id: str) -> str:
    """Return the id by which people name an entry of *partition*."""
    return f"{partition:02x}:{entry_id}"


def split_id(event_id: str, partitions: int) -> tuple[int, str]:
    """
    Return the partition and the entry that *event_id* names.

    Raises:
        NotAnId: it is none.
    """
    milliseconds, number, partition = place_of_id(event_id, partitions)
    return partition, f"{milliseconds}-{number}"


def place_of_id(event_id: str, partitions: int) -> Place:
    """
    Return where the event stands among those of all partitions.

    Raises:
        NotAnId: *event_id* is none.
    """
    match = _ID.fullmatch(event_id)
    if match is None:
        raise NotAnId(f"{event_id!r} is no id; they look like 2a:1795504126573-0")
    partition = int(match[1], 16)
    if partition >= partitions:
        raise NotAnId(f"{event_id!r} names no partition of this store")
    return int(match[2]), int(match[3]), partition


def _ordered(event_id: str, sign: int) -> Place:
    milliseconds, number = event_id[3:].split("-")
    return sign * int(milliseconds), sign * int(number), sign * int(event_id[:2], 16)


def _start(beyond: Place | None, partition: int, *, newest_first: bool) -> str:
    """Return where reading *partition* begins so that all that comes *beyond* a place is found."""
    if beyond is None:
        return "+" if newest_first else "-"
    milliseconds, number, of = beyond
    same_time_counts = partition < of if newest_first else partition > of
    return f"{milliseconds}-{number}" if same_time_counts else f"({milliseconds}-{number}"
