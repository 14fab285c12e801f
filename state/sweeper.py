"""What waits without end is given up by name, and what was given up is kept for its time only."""

from datetime import timedelta
from typing import Final

from state.lease import Lease
from state.packing import pack
from state.scripts import Scripts
from state.standings import KEEP_OUTCOMES

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
            given_up = await self._scripts.sweep(
                lease.partition,
                lease.value,
                [event_id.decode() for event_id, _ in rows],
                forget_before_ms=now_ms - self._forget_ms,
                why=why,
                told_ms=int(KEEP_OUTCOMES.total_seconds() * 1000),
            )
            if given_up < _AT_ONCE:
                return
