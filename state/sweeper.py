"""What waits without end is given up by name, and what was given up is kept for its time only."""

from datetime import timedelta

from state.lease import Lease
from state.packing import pack
from state.scripts import Scripts


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
            given_up = await self._scripts.sweep(
                lease.partition,
                lease.value,
                give_up_before_ms=now_ms - self._give_up_ms,
                forget_before_ms=now_ms - self._forget_ms,
                why=why,
            )
            if given_up <= 0:
                return
