"""The loop: hold leases, read the inbox, run each conversation's events one at a time."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from gateway.deadline_lane import DeadlineLane
from gateway.delivery import Delivery
from gateway.handler_slots import HandlerSlots
from gateway.holdings import STORE_PAUSE_SECONDS, Holdings
from gateway.partition import PartitionLog
from gateway.processed import Fate, Processed
from gateway.processor import Processor
from gateway.timer_clock import TimerClock
from state.conversation import Conversation
from state.counts import Counts
from state.ending import ended
from state.errors import StoreUnavailable
from state.inbox import Inbox
from state.inbox_entry import InboxEntry
from state.lease import Leases
from state.sweeper import Sweeper
from state.wake import Word

log = structlog.get_logger(__name__)

#: Without a word of new work, the inbox is looked at this often; a message may have been missed.
LOOK_EVERY = timedelta(seconds=1)
SWEEP_EVERY = timedelta(minutes=1)
#: After a defect of ours, an event is tried again after so long; its attempts count all the same.
DEFECT_PAUSE_SECONDS = 5.0
READ_COUNT = 200
#: So many entries of one partition are kept in memory; the rest waits in the inbox.
READ_AHEAD = 2000


class Worker:
    """
    Works on the partitions whose leases it holds.

    After losing a partition's lease it starts nothing there, and cancels the handlers that run; their commit
    would be refused. `stop` finishes what runs and gives the leases back.
    """

    def __init__(
        self,
        leases: Leases,
        inbox: Inbox,
        processor: Processor,
        delivery: Delivery,
        *,
        sweeper: Sweeper,
        counts: Counts,
        clock: TimerClock,
        partitions: int,
        concurrency: int,
        answer_within: timedelta,
        now_ms: Callable[[], int],
    ) -> None:
        self.name = leases.worker
        """The name that stands in this worker's leases."""
        self._holdings = Holdings(leases, inbox, delivery, clock, partitions=partitions, notice=self._taken)
        self._inbox = inbox
        self._processor = processor
        self._delivery = delivery
        self._sweeper = sweeper
        self._counts = counts
        self._clock = clock
        clock.on_fired = self.notice
        self.on_told: Callable[[], None] = _nobody
        """Called when a subscriber may be owed word of a change."""
        self._now_ms = now_ms
        self._slots = HandlerSlots(concurrency, inbox)
        self._lane = DeadlineLane(
            inbox,
            processor,
            budget=answer_within,
            concurrency=concurrency,
            now_ms=now_ms,
            has=self._holdings.has,
            spawn=self._spawn,
            follow_up=self._follow_up,
        )
        self._dirty: set[int] = set()
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._loops: list[asyncio.Task[None]] = []

    @property
    def held(self) -> frozenset[int]:
        """The partitions whose leases this worker holds."""
        return self._holdings.numbers

    def notice(self, partition: int) -> None:
        """Learn that *partition* may have new events and owe new effects."""
        self.notice_accepted(partition)
        self._delivery.notice(partition)

    def notice_accepted(self, partition: int) -> None:
        """Learn that *partition* has a new event."""
        self._dirty.add(partition)
        self._wake.set()

    def would_begin(self, partition: int, conversation: Conversation) -> str:
        """Return the lease under which an event of *conversation* would begin at once; "": it would not."""
        held = self._holdings.get(partition)
        if held is None or self._stopping or self._slots.all_taken() or not held.is_free(conversation):
            return ""
        return held.lease.value

    def hand(self, entry: InboxEntry, before: str) -> None:
        """Take *entry*, which was accepted in this process after the one with the id *before*."""
        held = self._holdings.get(entry.partition)
        if held is None or (held.cursor != before and held.has_read(entry.id)):
            # Nothing begins here, or a reader was quicker than the answer.
            return
        if held.owed < READ_AHEAD and held.has_read(before):
            held.add([entry])
            self._start_lanes(held, self._now_ms())
        else:
            held.expect(entry)
            self.notice_accepted(entry.partition)

    def notice_urgent(self, partition: int) -> None:
        """Learn that a user waits for an answer in *partition*."""
        held = self._holdings.get(partition)
        if held is not None and not self._stopping:
            self._lane.notice(held)

    def _taken(self, partition: int) -> None:
        self.notice_urgent(partition)
        self.notice(partition)

    def start(self) -> None:
        """Begin to work, in tasks of this event loop."""
        self._loops = [
            asyncio.create_task(self._holdings.keep(), name="leases"),
            asyncio.create_task(self._read(), name="inbox"),
            asyncio.create_task(self._sweep(), name="sweeper"),
            asyncio.create_task(self._clock.run(), name="timers"),
        ]

    @property
    def works(self) -> bool:
        """All loops run; a loop that has ended would be a defect, and another process should take over."""
        return bool(self._loops) and not any(loop.done() for loop in self._loops)

    def woken(self, word: Word) -> None:
        """Learn what another process says."""
        if word.partition is None:
            self._holdings.look()
        elif word.urgent:
            self.notice_urgent(word.partition)
        else:
            self.notice(word.partition)
            self._clock.notice(word.partition)
            self.on_told()

    async def stop(self, limit: timedelta) -> None:
        """
        Finish what runs within *limit*, leave the rest in the inbox, and give the leases back.

        A partition in which nothing runs is given back at once.
        """
        if self._stopping:
            return
        self._stopping = True
        self._wake.set()
        await ended(*self._loops)
        giving_back = asyncio.create_task(self._holdings.give_back(limit), name="give back")
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=limit.total_seconds())
            for task in late:
                log.warning(
                    "a handler did not end in time; its event stays in the inbox", task=task.get_name()
                )
            await ended(*late)
        await giving_back
        await self._delivery.stop(limit)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY.total_seconds())
            for held in self._holdings:
                try:
                    await self._sweeper.sweep(held.lease, self._now_ms())
                except StoreUnavailable:
                    break
                except Exception:
                    log.exception("old events could not be swept; tried again later")

    # The inbox

    async def _read(self) -> None:
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
                    self._lane.notice(held)
                for number in dirty:
                    self._delivery.notice(number)
            try:
                await asyncio.gather(
                    *(self._read_partition(held) for held in map(self._holdings.get, dirty) if held)
                )
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
                    self._start_lanes(held, now_ms)

    def _until_next_alarm(self) -> float:
        alarms = (held.next_alarm_ms() for held in self._holdings)
        soonest = min((alarm for alarm in alarms if alarm is not None), default=None)
        pause = LOOK_EVERY.total_seconds()
        return pause if soonest is None else min(pause, max(0.0, (soonest - self._now_ms()) / 1000))

    async def _read_partition(self, held: PartitionLog) -> None:
        partition = held.lease.partition
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

    def _start_lanes(self, held: PartitionLog, now_ms: int) -> None:
        if self._stopping or not self._holdings.has(held):
            return
        for conversation in held.idle_conversations(now_ms):
            held.begin(conversation)
            self._spawn(self._run(held, conversation), conversation.encode())

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    # One conversation

    async def _run(self, held: PartitionLog, conversation: Conversation) -> None:
        """Run the events of *conversation* one after the other, until none may run."""
        with held.at_work(conversation):
            while not self._stopping and self._holdings.has(held):
                entry = held.next_of(conversation, self._now_ms())
                if entry is None:
                    return
                async with self._slots:
                    await self._process(held, entry)

    async def _process(self, held: PartitionLog, entry: InboxEntry) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
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
        source = entry.envelope.source
        self._counts.add("events", source, processed.ended or processed.fate.value)
        self._counts.time("handled", source, round((clock() - began) * 1000))
        match processed.fate:
            case Fate.ENDED:
                held.end(entry)
                if held.owed == READ_AHEAD // 2:
                    self.notice(held.lease.partition)
            case Fate.WAITS:
                held.wait(entry.id, processed.at_ms)
                self._wake.set()
            case Fate.PARKED:
                held.park(entry.id, processed.at_ms)
                self._wake.set()
            case Fate.LOST:
                pass
        self._follow_up(held, processed)

    def _follow_up(self, held: PartitionLog, processed: Processed) -> None:
        """Wake who has something to do now that an event was processed."""
        if processed.fate is Fate.LOST:
            self._holdings.lose(held)
        held.unpark(processed.unparked)
        if processed.timers:
            self._clock.notice(held.lease.partition)
        if processed.told:
            self.on_told()
        if processed.wrote:
            self.notice(held.lease.partition)


def _nobody() -> None:
    """No subscriber is to be told."""
