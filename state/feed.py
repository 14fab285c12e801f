"""What has just happened: changes of state, and what Telegram was brought to show."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any, Self

from redis.asyncio import Redis

from state.cluster import ClusterRedis
from state.connection import store_errors
from state.conversation import Conversation
from state.delivered import Delivered
from state.grouping import GroupedCalls
from state.history import Transition, read_transition
from state.keys import Keys
from state.snapshot import pairs

log = logging.getLogger(__name__)

#: One answer's size, for each partition.
READ_COUNT = 200
LOOK_IN_CLUSTER_EVERY = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A place in the feed. Within one millisecond the order of different partitions means nothing."""

    at_ms: int
    sequence: int = 0
    partition: int = 0

    def __str__(self) -> str:
        return f"{self.at_ms}-{self.sequence}-{self.partition:02x}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Return the moment that ``str`` wrote.

        Raises:
            ValueError: *text* is none.
        """
        at_ms, sequence, partition = text.split("-")
        if not (at_ms.isdecimal() and sequence.isdecimal() and text.isascii()):
            raise ValueError("not a moment")
        return cls(int(at_ms), int(sequence), int(partition, 16))


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of the feed: a transition or a delivery."""

    moment: Moment
    conversation: Conversation
    transition: Transition | None = None
    delivered: Delivered | None = None


class Feed:
    """Reads the feed of all partitions."""

    def __init__(self, redis: Redis, calls: GroupedCalls, keys: Keys) -> None:
        self._redis = redis
        self._calls = calls
        self._partitions = {keys.feed(number): number for number in range(keys.partitions)}

    async def since(self, moment: Moment) -> Sequence[Happening]:
        """
        Return what is kept from the millisecond of *moment* on, without *moment* itself.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        calls = (self._calls.command("XRANGE", name, moment.at_ms, "+") for name in self._partitions)
        found = [
            happening
            for number, rows in zip(self._partitions.values(), await asyncio.gather(*calls), strict=True)
            for happening in _happenings(number, rows)
            if happening.moment != moment
        ]
        return sorted(found, key=_by_moment)

    async def ends(self) -> Mapping[str, str]:
        """
        Return where each partition's feed ends now, for `after`.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        calls = (self._calls.command("XREVRANGE", name, "+", "-", "COUNT", 1) for name in self._partitions)
        newest = await asyncio.gather(*calls)
        return {
            name: last[0][0].decode() if last else "0-0"
            for name, last in zip(self._partitions, newest, strict=True)
        }

    async def after(
        self, ends: Mapping[str, str], longest: timedelta
    ) -> tuple[Sequence[Happening], Mapping[str, str]]:
        """
        Wait for what comes after *ends*, for *longest* at most; return it, and the new ends.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        block = max(1, int(longest.total_seconds() * 1000))
        places: dict[Any, Any] = dict(ends)
        if isinstance(self._redis, ClusterRedis):
            return await self._after_in_cluster(ends, longest)
        with store_errors():
            read: Any = await self._redis.xread(places, count=READ_COUNT, block=block)
        moved, found = dict(ends), list[Happening]()
        for name, entries in read or ():
            key = name.decode()
            moved[key] = entries[-1][0].decode()
            rows = ((entry_id, list(chain.from_iterable(fields.items()))) for entry_id, fields in entries)
            found += _happenings(self._partitions[key], rows)
        return sorted(found, key=_by_moment), moved

    async def _after_in_cluster(
        self, ends: Mapping[str, str], longest: timedelta
    ) -> tuple[Sequence[Happening], Mapping[str, str]]:
        """Look time and again: one blocking read cannot wait at several nodes."""
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + longest.total_seconds()
        while True:
            calls = (
                self._calls.command("XRANGE", name, f"({end}", "+", "COUNT", READ_COUNT)
                for name, end in ends.items()
            )
            rows = await asyncio.gather(*calls)
            moved, found = dict(ends), list[Happening]()
            for name, entries in zip(ends, rows, strict=True):
                if entries:
                    moved[name] = entries[-1][0].decode()
                    found += _happenings(self._partitions[name], entries)
            if found or clock() >= give_up_at:
                return sorted(found, key=_by_moment), moved
            await asyncio.sleep(LOOK_IN_CLUSTER_EVERY.total_seconds())


def _by_moment(happening: Happening) -> Moment:
    return happening.moment


def _happenings(partition: int, rows: Iterable[tuple[bytes, Sequence[bytes]]]) -> Iterator[Happening]:
    """Yield what *rows* are; one that a later version wrote in another form is passed over."""
    for entry_id, flat in rows:
        try:
            yield _happening(partition, entry_id, flat)
        except (ValueError, TypeError, LookupError):
            log.warning("entry %s of partition %s's feed cannot be read; passed over", entry_id, partition)


def _happening(partition: int, entry_id: bytes, flat: Iterable[bytes]) -> Happening:
    fields = pairs(list(flat))
    at_ms, _, sequence = entry_id.decode().partition("-")
    moment = Moment(int(at_ms), int(sequence), partition)
    conversation = Conversation.decode(fields[b"c"].decode())
    if fields[b"k"] == b"transition":
        return Happening(moment, conversation, transition=read_transition(fields[b"d"], partition))
    return Happening(moment, conversation, delivered=Delivered.unpack(fields[b"d"]))
