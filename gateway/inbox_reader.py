"""What lies in the inbox of the partitions that are held, read into their logs."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from gateway.holdings import STORE_PAUSE_SECONDS, Holdings
from gateway.partition import PartitionLog
from state.errors import StoreUnavailable
from state.inbox import Inbox
from state.inbox_entry import InboxEntry

log = structlog.get_logger(__name__)

#: Without a word of new work, the inbox is looked at this often; a message may have been missed.
LOOK_EVERY: Final = timedelta(seconds=1)
READ_COUNT: Final = 200
#: So many entries of one partition are kept in memory; the rest waits in the inbox.
READ_AHEAD: Final = 2000


class InboxReader:
    """
    Reads partitions of which it is told, and now and then all that are held.

    *start* is told of a log that has something to run, and of the time in ms; *on_look* of each partition
    that is looked at unasked.
    """

    def __init__(
        self,
        inbox: Inbox,
        holdings: Holdings,
        *,
        now_ms: Callable[[], int],
        start: Callable[[PartitionLog, int], None],
        on_look: Callable[[PartitionLog], None],
    ) -> None:
        self._inbox = inbox
        self._holdings = holdings
        self._now_ms = now_ms
        self._start = start
        self._on_look = on_look
        self._dirty: set[int] = set()
        self._wake = asyncio.Event()

    def notice(self, partition: int) -> None:
        """Learn that *partition* has a new event."""
        self._dirty.add(partition)
        self._wake.set()

    def wake(self) -> None:
        """Learn that an entry rests until some time."""
        self._wake.set()

    def hand(self, held: PartitionLog, entry: InboxEntry, before: str) -> None:
        """Take *entry*, which was accepted in this process after the one with the id *before*."""
        if held.cursor != before and held.has_read(entry.id):
            # A reader was quicker than the answer.
            return
        if held.owed < READ_AHEAD and held.has_read(before):
            held.add([entry])
            self._start(held, self._now_ms())
        else:
            held.expect(entry)
            self.notice(entry.partition)

    def ended(self, held: PartitionLog) -> None:
        """Learn that an entry of *held* has ended: there may be room for those that were not read."""
        if held.owed == READ_AHEAD // 2:
            self.notice(held.lease.partition)

    async def run(self) -> None:
        """Read, for ever."""
        clock = asyncio.get_running_loop().time
        look_at = clock()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(self._until_next_alarm(), max(0.0, look_at - clock()))):
                    await self._wake.wait()
            self._wake.clear()
            dirty, self._dirty = self._dirty & self._holdings.numbers, set()
            if clock() >= look_at:
                # However busy it is here: word of new work elsewhere may have been missed.
                look_at = clock() + LOOK_EVERY.total_seconds()
                dirty = set(self._holdings.numbers)
                for held in self._holdings:
                    self._on_look(held)
            try:
                await asyncio.gather(*(self._read(held) for held in map(self._holdings.get, dirty) if held))
            except StoreUnavailable as error:
                log.warning("the store is away; the inbox is read again", error=str(error))
                await asyncio.sleep(STORE_PAUSE_SECONDS)
                self._dirty |= dirty
                self._wake.set()
            except Exception:
                log.exception("the inbox could not be read; tried again")
            now_ms = self._now_ms()
            for held in self._holdings:
                if held.is_restless(now_ms):
                    self._start(held, now_ms)

    def _until_next_alarm(self) -> float:
        alarms = (held.next_alarm_ms() for held in self._holdings)
        soonest = min((alarm for alarm in alarms if alarm is not None), default=None)
        pause = LOOK_EVERY.total_seconds()
        return pause if soonest is None else min(pause, max(0.0, (soonest - self._now_ms()) / 1000))

    async def _read(self, held: PartitionLog) -> None:
        partition = held.lease.partition
        held.read_anew(self._inbox.connections)
        while held.owed < READ_AHEAD:
            cursor = held.cursor
            entries = await self._inbox.read(partition, after=cursor, count=READ_COUNT)
            if held.cursor != cursor:
                # Some of them have been handed over meanwhile.
                continue
            held.add(entries)
            if len(entries) < READ_COUNT:
                break
        if held.has_parked:
            held.still_parked(await self._inbox.parked(partition))
