"""How an entry of the inbox ends, or rests, without a change of its conversation."""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import structlog

from gateway.processed import Fate, Processed
from state.grouping import Argument
from state.inbox_entry import InboxEntry
from state.lease import Lease
from state.outcomes import Settled
from state.packing import pack
from state.scripts import Scripts
from state.standings import KEEP_OUTCOMES

log = structlog.get_logger(__name__)

#: Of a traceback's text, the last so many characters are kept.
LONGEST_DETAIL = 4000


class Settling:
    """Ends entries by name, and lets them rest. *redact* takes the secrets out of what is kept."""

    def __init__(self, scripts: Scripts, *, now_ms: Callable[[], int], redact: Callable[[str], str]) -> None:
        self._scripts = scripts
        self._now_ms = now_ms
        self._redact = redact

    async def ignore(self, entry: InboxEntry, lease: Lease, reason: str) -> Processed:
        """
        End *entry*, which changes nothing.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        settled = await self._end(entry, lease, "ignore", reason)
        log.info("ignored", **_named(entry), reason=reason)
        return _after(settled, "ignored")

    async def give_up(self, entry: InboxEntry, lease: Lease, reason: str, detail: str) -> Processed:
        """
        Make a dead letter of *entry*.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        log.error("dead letter", **_named(entry), reason=reason, error=detail)
        why = {"reason": reason, "detail": self._redact(detail)[-LONGEST_DETAIL:], "at_ms": self._now_ms()}
        return _after(await self._end(entry, lease, "dead", pack(why)), "dead")

    async def park(self, entry: InboxEntry, lease: Lease, until_ms: int, *, basis: int) -> Processed | None:
        """
        Let *entry* rest until its conversation's state changes; None: it has changed since revision *basis*.

        When its time is over, it is given up instead.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        if until_ms <= self._now_ms():
            return await self.give_up(entry, lease, "parked", "the state it waited for did not come in time")
        settled = await self._scripts.settle(
            lease.value, entry.conversation, entry.id, "park", until_ms, basis=basis
        )
        if settled is Settled.CONFLICT:
            return None
        log.info("parked", **_named(entry))
        return Processed(Fate.PARKED, until_ms) if settled is Settled.SETTLED else _after(settled)

    async def postpone(self, entry: InboxEntry, lease: Lease, delay: timedelta) -> Processed:
        """
        Let *entry* rest for *delay*.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        due_ms = self._now_ms() + milliseconds(delay)
        settled = await self._scripts.settle(lease.value, entry.conversation, entry.id, "retry", due_ms)
        return Processed(Fate.WAITS, due_ms) if settled is Settled.SETTLED else _after(settled)

    async def moved(self, entry: InboxEntry, lease: Lease, new_id: str) -> Processed:
        """
        End *entry*, which is owed under *new_id* now: its group has become a supergroup.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        settled = await self._end(entry, lease, "move", new_id)
        log.info("moved to the supergroup", **_named(entry))
        return _after(settled, "moved")

    async def _end(
        self, entry: InboxEntry, lease: Lease, verb: Literal["ignore", "dead", "move"], detail: Argument
    ) -> Settled:
        return await self._scripts.settle(
            lease.value,
            entry.conversation,
            entry.id,
            verb,
            detail,
            told_ms=told_ms(entry),
            first_id=entry.first_id,
        )


def told_ms(entry: InboxEntry) -> int:
    """Return how long to keep how *entry* ends: a service may ask, a chat does not."""
    return 0 if entry.envelope.source.startswith("telegram:") else milliseconds(KEEP_OUTCOMES)


def milliseconds(duration: timedelta) -> int:
    """Return *duration* as Redis takes it."""
    return int(duration.total_seconds() * 1000)


def _named(entry: InboxEntry) -> dict[str, str]:
    return {"source": entry.envelope.source, "type": entry.envelope.type, "entry": entry.id}


def _after(settled: Settled, how: str = "") -> Processed:
    if settled is Settled.FENCED:
        return Processed(Fate.LOST)
    return Processed(Fate.ENDED, ended=how if settled is Settled.SETTLED else "")
