"""One event, from its entry in the inbox to its commit."""

import asyncio
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import NamedTuple

import structlog

from gateway.errors import HandlerTimeout
from gateway.handling import Handled, Handling, Parked, Rejected, Skipped, Subject, Verdict
from gateway.processed import Fate, Processed
from gateway.retries import Retries, RetryPolicy
from gateway.settling import Settling, milliseconds, told_ms
from routers.payments.events import PaymentEvent
from state import faults
from state.conversation import Conversation
from state.errors import StoreUnavailable
from state.inbox_entry import InboxEntry
from state.journal import Journal
from state.lease import Lease
from state.migrations import Home
from state.scripts import Cause, Change, CommitAnswer, Committed, Loaded, Scripts
from state.snapshot import Snapshot
from state.storage import ConversationStorage
from state.time_limit import LimitedWait, TimeLimit
from state.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)


class _Run(NamedTuple):
    entry: InboxEntry
    subject: Subject
    lease: Lease
    journal: Journal
    give_up_at_ms: int | None
    answer_by: float
    former: Conversation | None

    @property
    def seconds_left(self) -> float:
        """Until a query is declined."""
        return self.answer_by - asyncio.get_running_loop().time()


class Processor:
    """Runs events: snapshot, handler, commit; retry, park, ignore or dead-letter."""

    def __init__(
        self,
        handling: Handling,
        scripts: Scripts,
        storage: ConversationStorage,
        *,
        conversation_expires_after: timedelta,
        handler_limit: timedelta,
        retries: Retries,
        remember_rank_for: timedelta,
        now_ms: Callable[[], int],
        redact: Callable[[str], str] = str,
    ) -> None:
        self._handling = handling
        self._scripts = scripts
        self._storage = storage
        self._ttl_ms = milliseconds(conversation_expires_after)
        self._rank_ms = milliseconds(remember_rank_for)
        self._handler_limit = handler_limit
        self._limit = TimeLimit(handler_limit)
        self._retries = retries
        self.begins_at_acceptance = retries.chat.attempts > 1
        """Whether an update's first run may be counted then: if the answer is lost, it was not begun."""
        self._settling = Settling(scripts, now_ms=now_ms, redact=redact)
        self._now_ms = now_ms
        self._unsaved: dict[str, dict[str, bytes]] = {}
        """By entry: what came of calls that could not be recorded, until it has ended or can be."""
        self._excused: Counter[str] = Counter()
        """By entry: runs that were begun and came to nothing because the store was away."""

    async def process(
        self, entry: InboxEntry, lease: Lease, *, give_up_at_ms: int | None, answer_by: float = inf
    ) -> Processed:
        """
        Run *entry* once, to its commit or to the plan for its next run.

        *give_up_at_ms* is when a parked entry's time is over; None: it is not parked. *answer_by* is the
        event loop's time at which a query is declined.

        Raises:
            StoreUnavailable: Redis did not answer; processing it again shows whether the change was made.
        """
        try:
            if entry.opening is not None and entry.opening.holds(lease.value):
                # Its acceptance found that it had not moved, and its commit will look again.
                home = Home(entry.conversation)
            else:
                home = await self._storage.migrations.home(entry.conversation)
            if home.conversation == entry.conversation:
                processed = await self._process(entry, lease, give_up_at_ms, answer_by, home.former)
            else:
                processed = await self._forward(entry, lease, home.conversation)
        except (asyncio.CancelledError, StoreUnavailable):
            await self._hand_down(entry, lease)
            raise
        if processed.fate is Fate.ENDED:
            self._unsaved.pop(entry.id, None)
        else:
            await self._hand_down(entry, lease)
        if processed.fate in (Fate.ENDED, Fate.LOST):
            self._excused.pop(entry.id, None)
        return processed

    async def _hand_down(self, entry: InboxEntry, lease: Lease) -> None:
        """Tell whoever runs *entry* next of the calls that only this process knows of."""
        unsaved = self._unsaved.get(entry.id, {})
        journal = Journal(self._scripts, lease, entry.id, {})
        try:
            for call, result in unsaved.items():
                await journal.record(call, result)
        except StoreUnavailable as error:
            log.warning("the store is away; calls are remembered here only", entry=entry.id, error=str(error))
        else:
            self._unsaved.pop(entry.id, None)

    async def _process(
        self,
        entry: InboxEntry,
        lease: Lease,
        give_up_at_ms: int | None,
        answer_by: float,
        former: Conversation | None,
    ) -> Processed:
        try:
            subject = self._handling.subject_of(entry)
        except ValueError as error:
            return await self._settling.give_up(entry, lease, "unreadable", str(error))
        loaded = await self._begin(entry, lease, subject, moved=former is not None)
        if isinstance(loaded, Committed):
            return Processed.by_commit(CommitAnswer(loaded))
        policy = self._retries.of(entry.envelope)
        known = {**entry.journal, **loaded.journal, **self._unsaved.get(entry.id, {})}
        journal = Journal(self._scripts, lease, entry.id, known)
        run = _Run(entry, subject, lease, journal, give_up_at_ms, answer_by, former)
        attempts = loaded.attempts - self._excused[entry.id]
        if attempts > policy.attempts:
            return await self._give_up(run, "attempts", f"{attempts - 1} runs began, none ended")
        if run.answer_by < inf and run.seconds_left <= 0:
            return await self._give_up(run, "deadline", "it came to its handler too late to be answered")
        if subject.is_behind(loaded.rank):
            return await self._settling.ignore(entry, lease, "an event that is further on was applied before")
        return await self._attempt(run, loaded.snapshot, policy, attempts)

    async def _begin(
        self, entry: InboxEntry, lease: Lease, subject: Subject, *, moved: bool
    ) -> Loaded | Committed:
        opening, counted = entry.opening, False
        if opening is not None and not opening.begun:
            opening.begun = counted = True
            # A lease of now may be another one; what its group has left was moved here after the acceptance.
            if opening.snapshot is not None and opening.lease == lease.value and not moved:
                return Loaded(1, None, opening.snapshot, {})
        return await self._scripts.load(
            lease.value, entry.id, entry.conversation, object_key=subject.object_key, counted=counted
        )

    async def _attempt(self, run: _Run, snapshot: Snapshot, policy: RetryPolicy, attempts: int) -> Processed:
        try:
            return await self._run(run, snapshot)
        except Exception as error:
            if isinstance(error, StoreUnavailable):
                self._excused[run.entry.id] += 1
                raise
            # Whatever a bot's handler raises.
            return await self._retry(run, policy, attempts, error)
        finally:
            if run.journal.unsaved:
                self._unsaved.setdefault(run.entry.id, {}).update(run.journal.unsaved)

    async def _run(self, run: _Run, snapshot: Snapshot) -> Processed:
        entry = run.entry
        while True:
            unit = UnitOfWork(entry.conversation, snapshot, self._scripts.keys, former=run.former)
            try:
                verdict = await self._handle(unit, run)
            finally:
                unit.closed = True
            if isinstance(verdict, Handled):
                answer = await self._commit(unit, run)
                if answer is not None:
                    return Processed.by_commit(answer)
            else:
                processed = await self._settle(run, unit, verdict)
                if processed is not None:
                    return processed
            if await self._has_moved(entry):
                return Processed(Fate.WAITS, at_ms=0)
            snapshot = await self._storage.reading.begin(entry.conversation)

    async def _handle(self, unit: UnitOfWork, run: _Run) -> Verdict:
        # Only a query has an end of its own; all other handlers may run equally long.
        longest = self._handler_limit
        limit: LimitedWait | asyncio.Timeout = self._limit.wait()
        if run.answer_by < inf:
            longest = min(longest, timedelta(seconds=run.seconds_left))
            limit = asyncio.timeout(longest.total_seconds())
        try:
            async with limit:
                faults.reached("handle.before")
                verdict = await self._handling.handle(unit, run.subject, run.journal)
                faults.reached("handle.after")
                return verdict
        except TimeoutError:
            if limit.expired():
                raise HandlerTimeout(longest) from None
            raise

    async def _commit(self, unit: UnitOfWork, run: _Run) -> CommitAnswer | None:
        """Commit *unit*; None: what it read has changed, so the handler must run again."""
        while True:
            answer = await self._scripts.commit(self._change(unit, run))
            if answer.outcome is not Committed.CONFLICT:
                return answer
            if await self._has_moved(run.entry) or not unit.rebase(await self._storage.read_again(unit)):
                return None

    async def _has_moved(self, entry: InboxEntry) -> bool:
        return (await self._storage.migrations.home(entry.conversation)).conversation != entry.conversation

    async def _forward(self, entry: InboxEntry, lease: Lease, home: Conversation) -> Processed:
        """Have *entry* handled where its conversation is kept now."""
        migrations = self._storage.migrations
        known = {**entry.journal, **await migrations.journal_of(entry), **self._unsaved.get(entry.id, {})}
        new_id = await migrations.forward(entry, home, known)
        return await self._settling.moved(entry, lease, new_id)

    def _change(self, unit: UnitOfWork, run: _Run) -> Change:
        entry, subject, rank = run.entry, run.subject, None
        if subject.object_key is not None and subject.rank is not None:
            rank = (subject.object_key, subject.rank, self._rank_ms)
        envelope = entry.envelope
        return unit.change(
            ttl_ms=self._ttl_ms,
            basis=unit.revision,
            lease=run.lease.value,
            entry_id=entry.id,
            first_id=entry.first_id,
            rank=rank,
            again=subject.repeats,
            told_ms=told_ms(entry),
            ended=_ended(subject),
            cause=Cause(envelope.source, envelope.type, envelope.idempotency_key, entry.known_id, unit.deeds),
        )

    async def _settle(
        self, run: _Run, unit: UnitOfWork, verdict: Skipped | Parked | Rejected
    ) -> Processed | None:
        """End the entry as *verdict* says; None: the state it was decided on has changed."""
        if isinstance(verdict, Skipped):
            return await self._settling.ignore(run.entry, run.lease, verdict.reason)
        if isinstance(verdict, Rejected):
            return await self._settling.give_up(run.entry, run.lease, verdict.reason, "")
        until_ms = run.give_up_at_ms or self._now_ms() + milliseconds(verdict.lasts)
        return await self._settling.park(run.entry, run.lease, until_ms, basis=unit.revision)

    async def _retry(self, run: _Run, policy: RetryPolicy, attempts: int, error: Exception) -> Processed:
        summary = "".join(traceback.format_exception(error, limit=-5))
        delay = policy.delay(attempts)
        if attempts >= policy.attempts or delay.total_seconds() >= run.seconds_left:
            return await self._give_up(run, f"handler failed: {type(error).__name__}", summary)
        log.warning(
            "handler failed; the event runs again",
            source=run.entry.envelope.source,
            type=run.entry.envelope.type,
            entry=run.entry.id,
            attempts=attempts,
            of=policy.attempts,
            in_ms=milliseconds(delay),
            error=summary,
        )
        return await self._settling.postpone(run.entry, run.lease, delay)

    async def _give_up(self, run: _Run, reason: str, detail: str) -> Processed:
        await self._handling.queries.decline(run.subject.query, run.journal)
        return await self._settling.give_up(run.entry, run.lease, reason, detail)


def _ended(subject: Subject) -> tuple[str, str] | None:
    """Source and token of the payment that this event has ended, if that source would be asked about it."""
    expected, event = subject.expectation, subject.event
    if expected is None or not expected.source or not isinstance(event, PaymentEvent) or not event.is_final:
        return None
    return expected.source, expected.token
