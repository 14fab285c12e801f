"""Looks at the clock for the timers of the partitions that this process works on."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from state.errors import StoreUnavailable
from state.lease import Lease
from state.outcomes import Fired
from state.timers import Timers

log = structlog.get_logger(__name__)

#: A word of a new timer may be missed, so all partitions are asked this often.
LOOK_EVERY = timedelta(seconds=5)
#: However often timers are set, one partition is not asked more often than this.
BREATH_SECONDS = 0.02
STORE_PAUSE_SECONDS = 0.2
READ_COUNT = 200


class TimerClock:
    """
    Moves timers that are due into the inbox.

    It knows when the first timer of each partition is due and sleeps until then, so those that wait cost
    nothing however many they are. `on_fired` is called with each partition whose inbox has something new.
    """

    def __init__(self, timers: Timers, *, now_ms: Callable[[], int]) -> None:
        self._timers = timers
        self._now_ms = now_ms
        self._leases: dict[int, Lease] = {}
        self._next_due: dict[int, int | None] = {}
        self._dirty: set[int] = set()
        self._wake = asyncio.Event()
        self.on_fired: Callable[[int], None] = _nobody

    def take(self, lease: Lease) -> None:
        """Begin with a partition."""
        self._leases[lease.partition] = lease
        self.notice(lease.partition)

    def lose(self, partition: int) -> None:
        """Fire nothing more in *partition*; another worker has it."""
        self._leases.pop(partition, None)
        self._next_due.pop(partition, None)

    def notice(self, partition: int) -> None:
        """Learn that a timer of *partition* may have been set."""
        self._dirty.add(partition)
        self._wake.set()

    async def run(self) -> None:
        """Fire timers until cancelled."""
        looked_at_all_ms = self._now_ms()
        while True:
            await self._sleep()
            self._wake.clear()
            look_at, now_ms = self._due_by(self._now_ms()) | self._dirty, self._now_ms()
            self._dirty = set()
            if now_ms - looked_at_all_ms >= LOOK_EVERY.total_seconds() * 1000:
                looked_at_all_ms = now_ms
                look_at |= self._leases.keys()
            if not await self._look_at(look_at & self._leases.keys()):
                self._dirty |= look_at
                self._wake.set()
                await asyncio.sleep(STORE_PAUSE_SECONDS)
            await asyncio.sleep(BREATH_SECONDS)

    async def _look_at(self, partitions: set[int]) -> bool:
        """Fire what is due in *partitions*; False: look again, something went wrong."""
        looks = [self._look(self._leases[number]) for number in partitions]
        failures = [each for each in await asyncio.gather(*looks, return_exceptions=True) if each]
        for failure in failures:
            if isinstance(failure, StoreUnavailable):
                log.warning("the store is away; timers are looked at again", error=str(failure))
            else:
                log.error("timers could not be looked at; tried again", exc_info=failure)
        return not failures

    def _due_by(self, now_ms: int) -> set[int]:
        return {
            number for number, due_ms in self._next_due.items() if due_ms is not None and due_ms <= now_ms
        }

    async def _sleep(self) -> None:
        """Sleep until something is due or was set, or it is time to look anyway."""
        soonest = min((due_ms for due_ms in self._next_due.values() if due_ms is not None), default=None)
        pause = LOOK_EVERY.total_seconds()
        if soonest is not None:
            pause = min(pause, max(0.0, (soonest - self._now_ms()) / 1000))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._wake.wait()

    async def _look(self, lease: Lease) -> None:
        partition = lease.partition
        while self._leases.get(partition) is lease:
            now_ms = self._now_ms()
            next_due = await self._timers.next_due_ms(partition)
            self._next_due[partition] = next_due
            if next_due is None or next_due > now_ms:
                return
            due = await self._timers.due(partition, now_ms, READ_COUNT)
            fates = await asyncio.gather(*(self._timers.fire(lease.value, timer, now_ms) for timer in due))
            if Fired.FIRED in fates:
                self.on_fired(partition)
            if Fired.FENCED in fates:
                self._next_due.pop(partition, None)
                return


def _nobody(partition: int) -> None:
    """No worker runs yet."""
