"""A Redis stream that services of one's own write to, read by one gateway process at a time."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import AskError

from state.cluster import ClusterRedis
from state.connection import store_errors
from state.grouping import GroupedCalls, Script
from state.snapshot import pairs

_READ = Script.load("read_stream")
_LAG = Script.load("stream_lag")

#: How far a group has come is remembered for so long after its last entry.
REMEMBER_PLACE_FOR = timedelta(days=90)
#: While a stream moves to another node of a Cluster, it is looked at this often instead of waited on.
MOVING_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry; *fields* is None for one that was removed before it was read."""

    id: str
    fields: Mapping[bytes, bytes] | None


@dataclass(frozen=True, slots=True)
class Batch:
    entries: Sequence[StreamEntry]
    last_id: str
    """The stream's newest entry."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind the group is, in entries. *unread* is None where Redis cannot tell."""

    unread: int | None
    unfinished: int


class ServiceStream:
    """
    Reads *key* as *group*; another process takes over within *lease* when this one dies.

    All the group's readers share one consumer name, so what a dead one had read and not ended is read again
    first. The stream may live in another Redis than the gateway's, or in a Cluster.
    """

    def __init__(
        self, redis: Redis, *, key: str, group: str, reader: str, lease: timedelta, start: str, prefix: str
    ) -> None:
        self.key = key
        self.group = group
        self._redis = redis
        self._calls = GroupedCalls(redis)
        self._reader = reader
        self._lease_ms = int(lease.total_seconds() * 1000)
        self._start = start
        beside = f"{prefix}:{_tagged(key)}:{group}"
        self._reader_key, self._place_key = f"{beside}:reader", f"{beside}:place"

    async def read(self, count: int, *, unfinished: bool) -> Batch | None:
        """
        Return up to *count* entries that are new, or those that were read and not `finish`\\ ed.

        A group that is gone is made again, where it had come to. None: another process reads.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        answer = await self._calls.script(
            _READ,
            [self.key, self._reader_key, self._place_key],
            [self._reader, self._lease_ms, self.group, "0" if unfinished else ">", count, self._start],
        )
        if answer == b"HELD":
            return None
        rows, last_id = answer
        entries = [
            StreamEntry(entry_id.decode(), None if flat is None else pairs(flat)) for entry_id, flat in rows
        ]
        return Batch(entries, last_id.decode())

    async def finish(self, ids: Sequence[str]) -> None:
        """
        Tell the group that it need not see the entries *ids* again, in the order of the stream.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        keep_ms = int(REMEMBER_PLACE_FOR.total_seconds() * 1000)
        await self._calls.command("XACK", self.key, self.group, *ids)
        await self._calls.command("SET", self._place_key, ids[-1], "PX", keep_ms)

    async def wait(self, after: str, longest: timedelta) -> None:
        """
        Return when the stream has an entry newer than *after*, or after *longest*.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        block = math.ceil(longest.total_seconds() * 1000)
        with store_errors():
            try:
                await (await self._node()).xread({self.key: after}, count=1, block=block)
            except AskError:
                # MOVED or ASK: the next `read` follows it.
                await asyncio.sleep(MOVING_PAUSE_SECONDS)

    async def _node(self) -> Redis:
        return await self._redis.at(self.key) if isinstance(self._redis, ClusterRedis) else self._redis

    async def lag(self) -> Lag:
        """
        Return how far behind the group is.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        groups = await self._calls.script(_LAG, [self.key], [])
        if groups is None:
            return Lag(0, 0)
        for flat in groups:
            group = dict(zip(flat[::2], flat[1::2], strict=True))
            if group[b"name"] == self.group.encode():
                return Lag(group[b"lag"], group[b"pending"])
        return Lag(None, 0)

    async def release(self) -> None:
        """
        Let another process read at once.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        if await self._calls.command("GET", self._reader_key) == self._reader.encode():
            await self._calls.command("DEL", self._reader_key)

    async def aclose(self) -> None:
        """End what is under way, before the client is closed."""
        await self._calls.aclose()


def _tagged(key: str) -> str:
    """Return *key* as it stands in other keys' names, so that a Cluster keeps them in its slot."""
    begin = key.find("{")
    has_a_tag = begin >= 0 and key.find("}", begin) > begin + 1
    return key if has_a_tag else f"{{{key}}}"
