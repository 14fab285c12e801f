"""The partitions that a worker holds: an even share of them, taken, kept and handed over."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import structlog

from gateway.delivery import Delivery
from gateway.partition import PartitionLog
from gateway.timer_clock import TimerClock
from state.errors import StoreUnavailable
from state.inbox import Inbox
from state.lease import Lease, Leases

log = structlog.get_logger(__name__)

#: After Redis failed, wait this long before asking again.
STORE_PAUSE_SECONDS = 0.2


class Holdings:
    """
    One worker's leases, and the log of each partition.

    A partition that is handed over begins nothing more here; its lease is kept until the handlers and the
    calls to Telegram that run in it have ended. So the next holder meets nobody.
    """

    def __init__(
        self,
        leases: Leases,
        inbox: Inbox,
        delivery: Delivery,
        clock: TimerClock,
        *,
        partitions: int,
        notice: Callable[[int], None],
    ) -> None:
        self._leases = leases
        self._inbox = inbox
        self._delivery = delivery
        self._clock = clock
        self._partitions = partitions
        self._notice = notice
        self._logs: dict[int, PartitionLog] = {}
        self._leaving: dict[int, PartitionLog] = {}
        self._handing_over: set[asyncio.Task[None]] = set()
        self._look = asyncio.Event()
        self._known: frozenset[str] = frozenset()

    @property
    def numbers(self) -> frozenset[int]:
        """The partitions in which work may begin."""
        return frozenset(self._logs)

    def __iter__(self) -> Iterator[PartitionLog]:
        return iter(list(self._logs.values()))

    def get(self, partition: int) -> PartitionLog | None:
        """Return the log of *partition*, if it is held."""
        return self._logs.get(partition)

    def has(self, held: PartitionLog) -> bool:
        """Tell whether work may still begin under this very lease."""
        return self._logs.get(held.lease.partition) is held

    def look(self) -> None:
        """Learn that there may be partitions to take or to give back."""
        self._look.set()

    async def keep(self) -> None:
        """Renew the leases and hold an even share, for ever."""
        while True:
            try:
                await self._renew()
                await self._balance()
            except StoreUnavailable as error:
                log.warning("the store is away; leases are not renewed", error=str(error))
                await asyncio.sleep(STORE_PAUSE_SECONDS)
                continue
            except Exception:
                log.exception("leases could not be kept; tried again")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._leases.look_every.total_seconds()):
                    await self._look.wait()
            self._look.clear()

    def lose(self, held: PartitionLog) -> None:
        """Begin nothing more under a lease that another worker has, and cancel what runs under it."""
        held.lose()
        if self.has(held):
            del self._logs[held.lease.partition]
            self._delivery.lose(held.lease.partition)
            self._clock.lose(held.lease.partition)

    async def give_back(self, limit: timedelta) -> None:
        """Hand all over, each as soon as nothing runs in it; after *limit* even if something does."""
        with suppress(StoreUnavailable):
            await self._leases.sign_off()
        for held in self:
            self._hand_over(held, limit)
        while self._handing_over:
            await asyncio.wait(self._handing_over, timeout=self._leases.look_every.total_seconds())
            with suppress(StoreUnavailable):
                await self._renew()
        with suppress(StoreUnavailable):
            await self._leases.sign_off()

    async def _renew(self) -> None:
        held = [*self._logs.values(), *self._leaving.values()]
        kept = await asyncio.gather(*(self._leases.renew(each.lease) for each in held))
        for each, ours in zip(held, kept, strict=True):
            # What was given back meanwhile is not lost.
            if not ours and (self.has(each) or self._leaving.get(each.lease.partition) is each):
                log.warning("a lease is lost", partition=each.lease.partition)
                self.lose(each)

    async def _balance(self) -> None:
        living = await self._leases.sign_of_life()
        if not self._known:
            await self._leases.tell(living)
        self._known = living
        share = -(-self._partitions // max(1, len(living)))
        for partition in sorted(self._logs)[share:]:
            self._hand_over(self._logs[partition], limit=None)
        room = share - len(self._logs)
        others = [
            number
            for number in range(self._partitions)
            if number not in self._logs and number not in self._leaving
        ]
        if room <= 0 or not others:
            return
        free = list(await self._leases.unheld(others))
        # Two workers that look at once must not reach for the same ones.
        random.shuffle(free)
        answers = await asyncio.gather(*(self._leases.claim(number) for number in free[:room]))
        claimed = [lease for lease in answers if lease is not None]
        try:
            # All at once: one after the other, a slow network would outlast the first leases.
            taken = await asyncio.gather(*(self._take(lease) for lease in claimed), return_exceptions=True)
            for failure in taken:
                if failure is not None:
                    raise failure
        except BaseException:
            # A stop comes half way: nobody would work on the rest until their leases end.
            for lease in claimed:
                if lease.partition not in self._logs:
                    self._logs[lease.partition] = held = PartitionLog(lease)
                    self._hand_over(held, limit=None)
            raise

    async def _take(self, lease: Lease) -> None:
        held = PartitionLog(lease)
        held.set_aside(
            *await asyncio.gather(self._inbox.due(lease.partition), self._inbox.parked(lease.partition))
        )
        self._logs[lease.partition] = held
        self._delivery.take(lease)
        self._clock.take(lease)
        self._notice(lease.partition)

    def _hand_over(self, held: PartitionLog, limit: timedelta | None) -> None:
        partition = held.lease.partition
        del self._logs[partition]
        self._clock.lose(partition)
        self._leaving[partition] = held
        task = asyncio.create_task(self._let_go(held, limit), name=f"hand over {partition}")
        self._handing_over.add(task)
        task.add_done_callback(self._handing_over.discard)

    async def _let_go(self, held: PartitionLog, limit: timedelta | None) -> None:
        partition = held.lease.partition
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(limit.total_seconds() if limit else None):
                    await held.quiet.wait()
            await self._delivery.release(partition, limit)
            # Before it is given back: a renewal that comes afterwards would take that for a loss.
            del self._leaving[partition]
            await self._leases.release(held.lease)
            await self._leases.tell(self._known)
        except StoreUnavailable as error:
            log.warning("the store is away; a lease ends by itself", partition=partition, error=str(error))
        finally:
            if self._leaving.get(partition) is held:
                del self._leaving[partition]
