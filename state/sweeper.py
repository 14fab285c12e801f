"""What waits without end is given up by name, and what was given up is kept for its time only."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from state.errors import StoreUnavailable
from state.grouping import Argument, Script
from state.lease import Lease
from state.packing import pack
from state.scripts import Scripts
from state.standings import KEEP_OUTCOMES

log = structlog.get_logger(__name__)

SWEEP_EVERY: Final = timedelta(minutes=1)
_SWEEP: Final = Script.load("sweep", when_full=True)
#: So many at once keep one script short.
_AT_ONCE: Final = 100


class Sweeper:
    """Sweeps partitions in the name of whoever holds their lease."""

    def __init__(
        self,
        scripts: Scripts,
        *,
        give_up_unresolved_after: timedelta,
        forget_dead_letters_after: timedelta,
    ) -> None:
        self._scripts = scripts
        self._give_up_ms = int(give_up_unresolved_after.total_seconds() * 1000)
        self._forget_ms = int(forget_dead_letters_after.total_seconds() * 1000)

    async def run(self, held: Callable[[], Iterable[Lease]], now_ms: Callable[[], int]) -> None:
        """Sweep the partitions whose leases are *held* now and then, for ever."""
        while True:
            await asyncio.sleep(SWEEP_EVERY.total_seconds())
            for lease in held():
                try:
                    await self.sweep(lease, now_ms())
                except StoreUnavailable:
                    break
                except Exception:
                    log.exception("old events could not be swept; tried again later")

    async def sweep(self, lease: Lease, now_ms: int) -> None:
        """
        Make dead letters of events whose conversation never came, and forget dead letters past their time.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        why = pack({"reason": "unresolved", "detail": "no conversation was found in time", "at_ms": now_ms})
        while True:
            unresolved = self._scripts.keys.unresolved(lease.partition)
            rows = await self._scripts.calls.command(
                "XRANGE", unresolved, "-", f"({now_ms - self._give_up_ms}", "COUNT", _AT_ONCE
            )
            given_up = await self._sweep(
                lease,
                [event_id.decode() for event_id, _ in rows],
                forget_before_ms=now_ms - self._forget_ms,
                why=why,
            )
            if given_up < _AT_ONCE:
                return

    async def _sweep(
        self, lease: Lease, event_ids: Sequence[str], *, forget_before_ms: int, why: bytes
    ) -> int:
        """Make dead letters of these unresolved events; return how many. -1: the lease is lost."""
        keys, partition = self._scripts.keys, lease.partition
        names = [keys.lease(partition), keys.unresolved(partition), keys.dead(partition)]
        names += [keys.ended(partition, event_id) for event_id in event_ids]
        told_ms = int(KEEP_OUTCOMES.total_seconds() * 1000)
        arguments: list[Argument] = [lease.value, forget_before_ms, why, told_ms, *event_ids]
        return int(await self._scripts.calls.script(_SWEEP, names, arguments))
