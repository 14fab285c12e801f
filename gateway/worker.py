"""The work of one process: leases held, the inbox read, conversations run, effects delivered."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from gateway.conversation_runs import ConversationRuns
from gateway.deadline_lane import DeadlineLane
from gateway.delivery import Delivery
from gateway.handler_slots import HandlerSlots
from gateway.holdings import Holdings
from gateway.inbox_reader import InboxReader
from gateway.partition import PartitionLog
from gateway.processed import Fate, Processed
from gateway.processor import Processor
from gateway.timer_clock import TimerClock
from gateway.under_way import UnderWay
from state.conversation import Conversation
from state.counts import Counts
from state.ending import ended
from state.inbox import Inbox
from state.inbox_entry import InboxEntry
from state.lease import Lease, Leases
from state.sweeper import Sweeper
from state.wake import Word


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
        self._delivery = delivery
        self._sweeper = sweeper
        self._clock = clock
        clock.on_fired = self.notice
        self.on_told: Callable[[], None] = _nobody
        """Called when a subscriber may be owed word of a change."""
        self._now_ms = now_ms
        self._holdings = Holdings(leases, inbox, delivery, clock, partitions=partitions, notice=self._taken)
        self._under_way = UnderWay()
        self._runs = ConversationRuns(
            self._holdings,
            processor,
            HandlerSlots(concurrency, inbox),
            self._under_way,
            counts,
            now_ms=now_ms,
            on_rest=self._wake_reader,
            on_end=self._follow_up,
        )
        self._reader = InboxReader(
            inbox, self._holdings, now_ms=now_ms, start=self._runs.start, on_look=self._look
        )
        self._lane = DeadlineLane(
            inbox,
            processor,
            self._under_way,
            budget=answer_within,
            concurrency=concurrency,
            now_ms=now_ms,
            has=self._holdings.has,
            follow_up=self._follow_up,
        )
        self._stopping = False
        self._loops: list[asyncio.Task[None]] = []

    @property
    def held(self) -> frozenset[int]:
        """The partitions whose leases this worker holds."""
        return self._holdings.numbers

    # What it is told

    def notice(self, partition: int) -> None:
        """Learn that *partition* may have new events and owe new effects."""
        self._reader.notice(partition)
        self._delivery.notice(partition)

    def would_begin(self, partition: int, conversation: Conversation) -> str:
        """Return the lease under which an event of *conversation* would begin at once; "": it would not."""
        held = self._holdings.get(partition)
        return held.lease.value if held is not None and self._runs.would_begin(held, conversation) else ""

    def hand(self, entry: InboxEntry, before: str) -> None:
        """Take *entry*, which was accepted in this process after the one with the id *before*."""
        held = self._holdings.get(entry.partition)
        if held is not None:
            self._reader.hand(held, entry, before)

    def notice_urgent(self, partition: int) -> None:
        """Learn that a user waits for an answer in *partition*."""
        held = self._holdings.get(partition)
        if held is not None and not self._stopping:
            self._lane.notice(held)

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

    # From its start to its end

    def start(self) -> None:
        """Begin to work, in tasks of this event loop."""
        self._loops = [
            asyncio.create_task(self._holdings.keep(), name="leases"),
            asyncio.create_task(self._reader.run(), name="inbox"),
            asyncio.create_task(self._sweeper.run(self._leases, self._now_ms), name="sweeper"),
            asyncio.create_task(self._clock.run(), name="timers"),
        ]

    @property
    def works(self) -> bool:
        """All loops run; a loop that has ended would be a defect, and another process should take over."""
        return bool(self._loops) and not any(loop.done() for loop in self._loops)

    async def stop(self, limit: timedelta) -> None:
        """
        Finish what runs within *limit*, leave the rest in the inbox, and give the leases back.

        A partition in which nothing runs is given back at once.
        """
        if self._stopping:
            return
        self._stopping = True
        self._runs.begin_no_more()
        await ended(*self._loops)
        giving_back = asyncio.create_task(self._holdings.give_back(limit), name="give back")
        await self._under_way.end(limit)
        await giving_back
        await self._delivery.stop(limit)

    # What its parts tell each other

    def _leases(self) -> list[Lease]:
        return [held.lease for held in self._holdings]

    def _taken(self, partition: int) -> None:
        self.notice_urgent(partition)
        self.notice(partition)

    def _look(self, held: PartitionLog) -> None:
        self._lane.notice(held)
        self._delivery.notice(held.lease.partition)

    def _wake_reader(self) -> None:
        self._reader.wake()

    def _follow_up(self, held: PartitionLog, processed: Processed) -> None:
        """Wake who has something to do now that an event was processed."""
        if processed.fate is Fate.LOST:
            self._holdings.lose(held)
        self._reader.ended(held)
        if processed.unparked:
            held.unpark(processed.unparked)
            self._reader.wake()
        if processed.timers:
            self._clock.notice(held.lease.partition)
        if processed.told:
            self.on_told()
        if processed.wrote:
            self.notice(held.lease.partition)


def _nobody() -> None:
    """No subscriber is to be told."""
