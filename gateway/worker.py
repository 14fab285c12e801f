"""The loop: hold leases, read the inbox, run each conversation's events one at a time."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from gateway.delivery import Delivery
from gateway.partition import PartitionLog
from gateway.processor import Fate, Processor
from gateway.timer_clock import TimerClock
from state.conversation import Conversation
from state.errors import StoreUnavailable
from state.inbox import Inbox, InboxEntry
from state.lease import Lease, Leases
from state.sweeper import Sweeper

log = structlog.get_logger(__name__)

#: Without a word of new work, the inbox is looked at this often; a message may have been missed.
LOOK_EVERY = timedelta(seconds=1)
SWEEP_EVERY = timedelta(minutes=1)
#: After Redis failed, wait this long before asking again.
STORE_PAUSE_SECONDS = 0.2
#: After a defect of ours, an event is tried again after so long; its attempts count all the same.
DEFECT_PAUSE_SECONDS = 5.0
READ_COUNT = 200
#: So many entries of one partition are kept in memory; the rest waits in the inbox.
READ_AHEAD = 2000


class Worker:
    """
    Works on the partitions whose leases it holds.

    It starts nothing in a partition after losing its lease, and what it had begun there is refused by the
    commit. `stop` finishes what runs and gives the leases back.
    """

    def __init__(
        self,
        leases: Leases,
        inbox: Inbox,
        processor: Processor,
        delivery: Delivery,
        *,
        sweeper: Sweeper,
        clock: TimerClock,
        partitions: int,
        concurrency: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._leases = leases
        self._inbox = inbox
        self._processor = processor
        self._delivery = delivery
        self._sweeper = sweeper
        self._clock = clock
        clock.on_fired = self.notice
        self._partitions = partitions
        self._now_ms = now_ms
        self._slots = asyncio.Semaphore(concurrency)
        self._logs: dict[int, PartitionLog] = {}
        self._dirty: set[int] = set()
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._loops: list[asyncio.Task[None]] = []

    @property
    def held(self) -> frozenset[int]:
        """The partitions whose leases this worker holds."""
        return frozenset(self._logs)

    @property
    def name(self) -> str:
        """The name that stands in this worker's leases."""
        return self._leases.worker

    def notice(self, partition: int) -> None:
        """Learn that *partition* may have new work."""
        self._dirty.add(partition)
        self._wake.set()

    def start(self) -> None:
        """Begin to work, in tasks of this event loop."""
        self._loops = [
            asyncio.create_task(self._keep_leases(), name="leases"),
            asyncio.create_task(self._read(), name="inbox"),
            asyncio.create_task(self._sweep(), name="sweeper"),
            asyncio.create_task(self._clock.run(), name="timers"),
        ]

    @property
    def works(self) -> bool:
        """All loops run; a loop that has ended would be a defect, and another process should take over."""
        return bool(self._loops) and not any(loop.done() for loop in self._loops)

    def woken(self, partition: int) -> None:
        """Learn that another process has left something in *partition*: events, effects or timers."""
        self.notice(partition)
        self._clock.notice(partition)

    async def stop(self, limit: timedelta) -> None:
        """Finish what runs within *limit*, leave the rest in the inbox, and give the leases back."""
        self._stopping = True
        self._wake.set()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=limit.total_seconds())
            for task in late:
                log.warning(
                    "a handler did not end in time; its event stays in the inbox", task=task.get_name()
                )
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._delivery.stop(limit)
        with suppress(StoreUnavailable):
            await asyncio.gather(*(self._leases.release(held.lease) for held in self._logs.values()))
            await self._leases.sign_off()
        self._logs.clear()

    # Leases

    async def _keep_leases(self) -> None:
        pause = self._leases.duration.total_seconds() / 4
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
            await asyncio.sleep(pause)

    async def _renew(self) -> None:
        held = list(self._logs.values())
        kept = await asyncio.gather(*(self._leases.renew(each.lease) for each in held))
        for each, ours in zip(held, kept, strict=True):
            if not ours:
                self._lose(each.lease.partition)

    async def _balance(self) -> None:
        """Hold an even share of the partitions: take what is free, give back what is too much."""
        workers = await self._leases.sign_of_life(self._now_ms())
        share = -(-self._partitions // workers)
        for partition in sorted(self._logs)[share:]:
            if not self._logs[partition].running:
                held = self._logs[partition]
                self._lose(partition)
                await self._leases.release(held.lease)
        free = [number for number in range(self._partitions) if number not in self._logs]
        room = share - len(self._logs)
        if room <= 0:
            return
        for claimed in await asyncio.gather(*(self._leases.claim(number) for number in free[:room] if room)):
            if claimed is not None:
                await self._take(claimed)

    async def _take(self, lease: Lease) -> None:
        held = PartitionLog(lease)
        held.set_aside(await self._inbox.due(lease.partition), await self._inbox.parked(lease.partition))
        self._logs[lease.partition] = held
        self._delivery.take(lease.partition)
        self._clock.take(lease)
        self.notice(lease.partition)

    def _lose(self, partition: int) -> None:
        if self._logs.pop(partition, None) is not None:
            self._delivery.lose(partition)
            self._clock.lose(partition)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY.total_seconds())
            for held in list(self._logs.values()):
                try:
                    await self._sweeper.sweep(held.lease, self._now_ms())
                except StoreUnavailable:
                    break
                except Exception:
                    log.exception("old events could not be swept; tried again later")

    # The inbox

    async def _read(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._until_next_look()):
                    await self._wake.wait()
            if self._wake.is_set():
                self._wake.clear()
                dirty, self._dirty = self._dirty & self._logs.keys(), set()
            else:
                dirty = set(self._logs)
            try:
                await asyncio.gather(*(self._read_partition(self._logs[number]) for number in dirty))
            except StoreUnavailable as error:
                log.warning("the store is away; the inbox is read again", error=str(error))
                await asyncio.sleep(STORE_PAUSE_SECONDS)
                self._dirty |= dirty
                self._wake.set()
            except Exception:
                log.exception("the inbox could not be read; tried again")
            for held in list(self._logs.values()):
                self._start_lanes(held)

    def _until_next_look(self) -> float:
        alarms = (held.next_alarm_ms() for held in self._logs.values())
        soonest = min((alarm for alarm in alarms if alarm is not None), default=None)
        pause = LOOK_EVERY.total_seconds()
        return pause if soonest is None else min(pause, max(0.0, (soonest - self._now_ms()) / 1000))

    async def _read_partition(self, held: PartitionLog) -> None:
        partition = held.lease.partition
        while len(held) < READ_AHEAD:
            entries = await self._inbox.read(partition, after=held.cursor, count=READ_COUNT)
            held.add(entries)
            if len(entries) < READ_COUNT:
                break
        if held.has_parked:
            held.still_parked(await self._inbox.parked(partition))
        self._delivery.notice(partition)

    def _start_lanes(self, held: PartitionLog) -> None:
        if self._stopping or self._logs.get(held.lease.partition) is not held:
            return
        for conversation in held.idle_conversations(self._now_ms()):
            held.running.add(conversation)
            task = asyncio.create_task(self._run(held, conversation), name=conversation.encode())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    # One conversation

    async def _run(self, held: PartitionLog, conversation: Conversation) -> None:
        """Run the events of *conversation* one after the other, until none may run."""
        try:
            while not self._stopping and self._logs.get(held.lease.partition) is held:
                entry = held.next_of(conversation, self._now_ms())
                if entry is None:
                    return
                async with self._slots:
                    await self._process(held, entry)
        finally:
            held.running.discard(conversation)

    async def _process(self, held: PartitionLog, entry: InboxEntry) -> None:
        try:
            processed = await self._processor.process(
                entry, held.lease, give_up_at_ms=held.give_up_at(entry.id)
            )
        except StoreUnavailable as error:
            log.warning("the store is away; the event runs again", entry=entry.id, error=str(error))
            await asyncio.sleep(STORE_PAUSE_SECONDS)
            return
        except Exception:
            # Not the bot's handler, whose exceptions are retried by the processor: a defect of ours.
            log.exception("an event could not be processed; it runs again", entry=entry.id)
            held.wait(entry.id, self._now_ms() + int(DEFECT_PAUSE_SECONDS * 1000))
            self._wake.set()
            return
        match processed.fate:
            case Fate.ENDED:
                held.end(entry)
                if len(held) == READ_AHEAD // 2:
                    self.notice(held.lease.partition)
            case Fate.WAITS:
                held.wait(entry.id, processed.at_ms)
                self._wake.set()
            case Fate.PARKED:
                held.park(entry.id, processed.at_ms)
                self._wake.set()
            case Fate.LOST:
                self._lose(held.lease.partition)
        held.unpark(processed.unparked)
        if processed.timers:
            self._clock.notice(held.lease.partition)
        if processed.wrote:
            self.notice(held.lease.partition)
