"""Events that we owe work: accepted once, kept until they have ended."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from state.conversation import Conversation
from state.durability import Confirmation
from state.envelope import Envelope
from state.errors import Overloaded, StoreUnavailable
from state.expectations import Expectation, partition_of_token
from state.grouping import GroupedCalls
from state.inbox_entry import InboxEntry, Opening
from state.journal import read_journal
from state.keys import Keys
from state.outcomes import AcceptAnswer
from state.packing import pack
from state.pressure import Pressure
from state.scripts import Accepted as Disposition
from state.scripts import Scripts
from state.snapshot import pairs

__all__ = ["Disposition", "Inbox", "Receipt"]

#: One partition's part; with 64 of them and events of 1 kB, about 1 GB.
MOST_EVENTS: Final = 20_000
#: What is behind needs a while.
RETRY_LATER_SECONDS: Final = 10


class Receipt(NamedTuple):
    """What became of a call, and where its first coming is kept."""

    disposition: Disposition
    partition: int
    entry_id: str


class Inbox:
    """Accepts calls at the edge and gives them to the worker, partition by partition."""

    def __init__(
        self,
        scripts: Scripts,
        *,
        keep_unresolved: timedelta = timedelta(days=30),
        most_events: int = MOST_EVENTS,
        pressure: Pressure | None = None,
        confirmation: Confirmation | None = None,
    ) -> None:
        self._scripts = scripts
        self._unresolved_ms = int(keep_unresolved.total_seconds() * 1000)
        self._most = most_events
        self._pressure = pressure
        self._confirmation = confirmation
        self.calls = 0
        """How many have come to this process."""
        self.storing = 0
        """How many of them Redis has not answered yet."""
        self._would_begin: Callable[[int, Conversation], str] = _never
        self._on_accepted: Callable[[InboxEntry, str], None] = _nobody_takes
        self._on_urgent: Callable[[int], None] = _nobody

    def work_here(
        self,
        would_begin: Callable[[int, Conversation], str],
        on_accepted: Callable[[InboxEntry, str], None],
        on_urgent: Callable[[int], None],
    ) -> None:
        """
        Tell a worker of this process at once of what is accepted here.

        *would_begin* says under which lease it would begin an event of a conversation at once, "": not so.
        *on_accepted* takes an entry and the id of the one before it, *on_urgent* the partition of an urgent
        one.
        """
        self._would_begin, self._on_accepted, self._on_urgent = would_begin, on_accepted, on_urgent

    @property
    def _keys(self) -> Keys:
        return self._scripts.keys

    @property
    def _calls(self) -> GroupedCalls:
        return self._scripts.calls

    @property
    def connections(self) -> int:
        """How many connections to Redis there have been."""
        return self._calls.connections

    async def accept(
        self, envelope: Envelope, *, remember_for: timedelta, urgent: bool = False
    ) -> Disposition:
        """
        Put *envelope* in the inbox, once per idempotency key.

        The key is remembered for *remember_for*, which must exceed the sender's retry horizon; after that a
        repeat counts as new. An *urgent* one does not queue behind others.

        Raises:
            StoreUnavailable: Redis did not answer; stored whole or not at all: answer 503.
            Overloaded: the partition owes as much as it may, or for as long as it may; nothing was stored.
        """
        return (await self.take(envelope, remember_for=remember_for, urgent=urgent)).disposition

    async def take(self, envelope: Envelope, *, remember_for: timedelta, urgent: bool = False) -> Receipt:
        """
        Do as `accept`, and return where the envelope is kept too.

        Raises:
            StoreUnavailable: as `accept`.
        """
        counts = self._scripts.counts
        self.calls += 1
        self.storing += 1
        try:
            receipt = await self._take(envelope, remember_for, urgent)
        except Overloaded:
            counts.add("calls", envelope.source, "overloaded")
            raise
        except StoreUnavailable:
            counts.add("calls", envelope.source, "store_unavailable")
            raise
        finally:
            self.storing -= 1
        counts.add("calls", envelope.source, receipt.disposition.word)
        return receipt

    async def _take(self, envelope: Envelope, remember_for: timedelta, urgent: bool) -> Receipt:
        partition, token = self._place(envelope)
        if self._pressure is not None and not urgent and self._pressure.is_behind(partition):
            raise Overloaded(RETRY_LATER_SECONDS, reason="the inbox is too far behind")
        lease = ""
        if envelope.conversation is not None and not envelope.event:
            # An event of a provider's object looks first at how far that has come.
            lease = self._would_begin(partition, envelope.conversation)
        answer = await self._scripts.accept(
            envelope.pack(),
            source=envelope.source,
            idempotency_key=envelope.idempotency_key,
            partition=partition,
            conversation=envelope.conversation,
            token=token,
            remember_ms=int(remember_for.total_seconds() * 1000),
            unresolved_ms=self._unresolved_ms,
            most=self._most,
            urgent=urgent,
            begin_under=lease,
        )
        if answer.outcome is Disposition.FULL:
            raise Overloaded(RETRY_LATER_SECONDS, reason="the inbox is full")
        if answer.before is not None:
            self._on_accepted(_accepted(partition, envelope, answer, lease), answer.before)
        elif urgent and answer.outcome is Disposition.ACCEPTED:
            self._on_urgent(partition)
        await self._confirmed(partition, envelope)
        return Receipt(answer.outcome, partition, answer.entry_id)

    async def bury(self, envelope: Envelope, reason: str, *, remember_for: timedelta) -> Disposition:
        """
        Keep *envelope*, which nobody can understand, as a dead letter; once per idempotency key.

        Raises:
            StoreUnavailable: as `accept`.
        """
        why = {"reason": "unreadable", "detail": reason, "at_ms": envelope.received_at_ms}
        partition = self._keys.partition_of_call(envelope.source, envelope.idempotency_key)
        disposition, _ = await self._scripts.bury(
            envelope.pack(),
            source=envelope.source,
            idempotency_key=envelope.idempotency_key,
            partition=partition,
            why=pack(why),
            remember_ms=int(remember_for.total_seconds() * 1000),
        )
        await self._confirmed(partition, envelope)
        return disposition

    async def _confirmed(self, partition: int, envelope: Envelope) -> None:
        """Return when *envelope* is where the operator wants it; a repeat too: it may not be there yet."""
        if self._confirmation is not None:
            seen = self._keys.seen(partition, envelope.source, envelope.idempotency_key)
            await self._confirmation.wait(partition, seen)

    def _place(self, envelope: Envelope) -> tuple[int, str | None]:
        """Return the envelope's partition, and its token if that is what finds the conversation."""
        if envelope.conversation is not None:
            return self._keys.partition_of(envelope.conversation), None
        if envelope.token is not None:
            partition = partition_of_token(envelope.token, self._keys.partitions)
            if partition is not None:
                return partition, envelope.token
        return self._keys.partition_of_call(envelope.source, envelope.idempotency_key), None

    async def read(self, partition: int, *, after: str, count: int) -> Sequence[InboxEntry]:
        """
        Return up to *count* entries that came after the one with id *after* ("0": from the oldest).

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        rows = await self._calls.command(
            "XRANGE", self._keys.inbox(partition), f"({after}", "+", "COUNT", count
        )
        return [self._entry(partition, entry_id, fields) for entry_id, fields in rows]

    def _entry(self, partition: int, entry_id: bytes, flat: Sequence[bytes]) -> InboxEntry:
        fields = pairs(flat)
        conversation = Conversation.decode(fields[b"c"].decode())
        terms = fields[b"x"]
        return InboxEntry(
            entry_id.decode(),
            partition,
            Envelope.unpack(fields[b"e"], conversation),
            conversation,
            Expectation.unpack(terms) if terms else None,
            b"u" in fields,
            fields[b"o"].decode() if b"o" in fields else None,
            read_journal(fields.get(b"j")),
        )

    async def urgent(self, partition: int) -> Sequence[tuple[InboxEntry, timedelta]]:
        """
        Return the urgent entries that are owed, with their age by Redis's own clock.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        key = self._keys.urgent(partition)
        ids, (seconds, micros) = await asyncio.gather(
            self._calls.command("SMEMBERS", key), self._calls.command("TIME")
        )
        if not ids:
            return []
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        inbox = self._keys.inbox(partition)
        found = await asyncio.gather(*(self._calls.command("XRANGE", inbox, each, each) for each in ids))
        if ended := [each for each, rows in zip(ids, found, strict=True) if not rows]:
            await self._calls.command("SREM", key, *ended)
        return [
            (
                self._entry(partition, entry_id, fields),
                timedelta(milliseconds=now_ms - _accepted_ms(entry_id)),
            )
            for rows in found
            for entry_id, fields in rows
        ]

    async def answered(self, entry: InboxEntry) -> None:
        """Forget that *entry*, which has ended, was urgent."""
        await self._calls.command("SREM", self._keys.urgent(entry.partition), entry.id)

    async def due(self, partition: int) -> dict[str, int]:
        """Return the entries that wait for their next run, and when that is due, in ms."""
        rows = await self._calls.command("ZRANGE", self._keys.due(partition), 0, -1, "WITHSCORES")
        return {entry_id.decode(): int(due_at) for entry_id, due_at in pairs(rows).items()}

    async def parked(self, partition: int) -> dict[str, int]:
        """Return the entries that wait for a change of their conversation's state, and until when, in ms."""
        rows = await self._calls.command("ZRANGE", self._keys.parked(partition), 0, -1, "WITHSCORES")
        return {entry_id.decode(): int(until) for entry_id, until in pairs(rows).items()}


def _accepted(partition: int, envelope: Envelope, answer: AcceptAnswer, lease: str) -> InboxEntry:
    """Return what reading the entry would return."""
    conversation = envelope.conversation
    if conversation is None:
        conversation = Conversation.decode(answer.conversation.decode())
        envelope = envelope._replace(conversation=conversation)
    expectation = Expectation.unpack(answer.terms) if answer.terms else None
    opening = Opening(lease, answer.snapshot) if answer.snapshot is not None else None
    return InboxEntry(answer.entry_id, partition, envelope, conversation, expectation, opening=opening)


def _accepted_ms(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])


def _never(partition: int, conversation: Conversation) -> str:  # noqa: ARG001 - a worker's has both
    """No worker runs in this process."""
    return ""


def _nobody(partition: int) -> None:
    """No worker runs in this process."""


def _nobody_takes(entry: InboxEntry, before: str) -> None:
    """No worker runs in this process."""
