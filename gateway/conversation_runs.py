"""The conversations at work: each runs its events one at a time, and waits for its turn among all."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import structlog

from gateway.handler_slots import HandlerSlots
from gateway.holdings import STORE_PAUSE_SECONDS, Holdings
from gateway.partition import PartitionLog
from gateway.processed import Fate, Processed
from gateway.processor import Processor
from gateway.under_way import UnderWay
from state.conversation import Conversation
from state.counts import Counts
from state.errors import StoreUnavailable
from state.inbox_entry import InboxEntry

log = structlog.get_logger(__name__)

#: After a defect of ours, an event is tried again after so long; its attempts count all the same.
DEFECT_PAUSE_SECONDS = 5.0


class ConversationRuns:
    """
    Begins events of the partitions that are held, each in a slot and a task of its own.

    *on_rest* is told that an entry rests until some time, *on_end* what became of a run, and in which
    partition.
    """

    def __init__(
        self,
        holdings: Holdings,
        processor: Processor,
        slots: HandlerSlots,
        under_way: UnderWay,
        counts: Counts,
        *,
        now_ms: Callable[[], int],
        on_rest: Callable[[], None],
        on_end: Callable[[PartitionLog, Processed], None],
    ) -> None:
        self._holdings = holdings
        self._processor = processor
        self._slots = slots
        self._under_way = under_way
        self._counts = counts
        self._now_ms = now_ms
        self._on_rest = on_rest
        self._on_end = on_end
        self._stopping = False

    def would_begin(self, held: PartitionLog, conversation: Conversation) -> bool:
        """Tell whether an event of *conversation* that came now would begin at once."""
        if self._stopping or not self._processor.begins_at_acceptance:
            return False
        return not self._slots.all_taken() and held.is_free(conversation)

    def start(self, held: PartitionLog, now_ms: int) -> None:
        """Ask for a turn for every conversation of *held* that has something to run."""
        if self._may_begin(held):
            for conversation in held.idle_conversations(now_ms):
                held.begin(conversation)
                self._slots.queue(partial(self._begin, held, conversation))

    def begin_no_more(self) -> None:
        """Leave in the inbox what has not begun."""
        self._stopping = True

    def _may_begin(self, held: PartitionLog) -> bool:
        return not self._stopping and self._holdings.has(held)

    def _begin(self, held: PartitionLog, conversation: Conversation) -> bool:
        """Run the next entry of *conversation*, whose turn has come; False: there is none."""
        entry = held.next_of(conversation, self._now_ms()) if self._may_begin(held) else None
        if entry is None:
            held.rest(conversation)
            return False
        on_end = partial(self._end, held, conversation)
        self._under_way.begin(self._process(held, entry), conversation.encode(), held, on_end)
        return True

    def _end(self, held: PartitionLog, conversation: Conversation) -> None:
        self._slots.give_back()
        if self._may_begin(held) and held.next_of(conversation, self._now_ms()) is not None:
            self._slots.queue(partial(self._begin, held, conversation))
        else:
            held.rest(conversation)

    async def _process(self, held: PartitionLog, entry: InboxEntry) -> None:
        began = time.monotonic()
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
            self._on_rest()
            return
        source, fate = entry.envelope.source, processed.fate
        self._counts.add("events", source, processed.ended or fate.value)
        self._counts.time("handled", source, round((time.monotonic() - began) * 1000))
        if fate is Fate.ENDED:
            held.end(entry)
        elif fate is Fate.WAITS:
            held.wait(entry.id, processed.at_ms)
            self._on_rest()
        elif fate is Fate.PARKED:
            held.park(entry.id, processed.at_ms)
            self._on_rest()
        self._on_end(held, processed)
