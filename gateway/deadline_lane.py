"""Queries with a deadline: handled at once, beside everything else."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import structlog

from gateway.partition import PartitionLog
from gateway.processed import Fate, Processed
from gateway.processor import Processor
from gateway.under_way import UnderWay
from state.errors import StoreUnavailable
from state.inbox import Inbox
from state.inbox_entry import InboxEntry

log = structlog.get_logger(__name__)


class DeadlineLane:
    """
    Answers what a user waits for, within *budget* of its arrival.

    It waits neither for the conversation's other events nor for a free place among those of other users. Who
    is late is declined. *has* tells whether a partition is still ours, *follow_up* is told of each run.
    """

    def __init__(
        self,
        inbox: Inbox,
        processor: Processor,
        under_way: UnderWay,
        *,
        budget: timedelta,
        concurrency: int,
        now_ms: Callable[[], int],
        has: Callable[[PartitionLog], bool],
        follow_up: Callable[[PartitionLog, Processed], None],
    ) -> None:
        self._inbox = inbox
        self._processor = processor
        self._budget_seconds = budget.total_seconds()
        self._slots = asyncio.Semaphore(concurrency)
        self._now_ms = now_ms
        self._has = has
        self._under_way = under_way
        self._follow_up = follow_up

    def notice(self, held: PartitionLog) -> None:
        """Learn that a query may have come."""
        self._under_way.begin(self._look(held), f"queries {held.lease.partition}", held, _nobody)

    async def _look(self, held: PartitionLog) -> None:
        clock = asyncio.get_running_loop().time
        try:
            entries = await self._inbox.urgent(held.lease.partition)
        except StoreUnavailable as error:
            log.warning("the store is away; queries are looked for again", error=str(error))
            return
        except Exception:
            log.exception("queries could not be read; they are looked for again")
            return
        for entry, age in entries:
            if self._has(held) and entry.id not in held.answering:
                answer_by = clock() + self._budget_seconds - age.total_seconds()
                held.begin_answer(entry.id)
                on_end = partial(held.end_answer, entry.id)
                self._under_way.begin(self._answer(held, entry, answer_by), f"query {entry.id}", held, on_end)

    async def _answer(self, held: PartitionLog, entry: InboxEntry, answer_by: float) -> None:
        try:
            await self._until_ended(held, entry, answer_by)
        except StoreUnavailable as error:
            log.warning("the store is away; the query is looked at again", entry=entry.id, error=str(error))
        except Exception:
            log.exception("a query could not be processed; it is looked at again", entry=entry.id)

    async def _until_ended(self, held: PartitionLog, entry: InboxEntry, answer_by: float) -> None:
        while self._has(held):
            async with self._slots:
                processed = await self._processor.process(
                    entry, held.lease, give_up_at_ms=None, answer_by=answer_by
                )
            self._follow_up(held, processed)
            if processed.fate is Fate.ENDED:
                await self._inbox.answered(entry)
            if processed.fate is not Fate.WAITS:
                return
            await asyncio.sleep(max(0, processed.at_ms - self._now_ms()) / 1000)


def _nobody() -> None:
    """Nobody waits for a look."""
