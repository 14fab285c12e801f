"""How much each partition owes and for how long: one measurement a second, for limits and for metrics."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from state.errors import StoreUnavailable
from state.grouping import Script
from state.outcomes import Measured
from state.scripts import Scripts

MEASURE_EVERY: Final = timedelta(seconds=1)
_MEASURE: Final = Script.load("measure")


@dataclass(frozen=True, slots=True)
class Load:
    """What one partition owes and keeps."""

    events: int = 0
    parked: int = 0
    waiting: int = 0
    """For their retry."""
    unresolved: int = 0
    dead: int = 0
    effects: int = 0
    unremoved: int = 0
    """Messages that had to stay in their chats, ever."""
    lease_ms: int = 0
    """What is left of its lease; 0: nobody works on it."""
    event_age_ms: int = 0
    """How long its oldest event that neither is parked nor waits for a retry has been owed."""
    effect_age_ms: int = 0


class Pressure:
    """
    The last measurement of every partition.

    Every process measures for itself, in one round trip for all partitions, whatever they hold.
    """

    def __init__(self, scripts: Scripts, *, oldest: timedelta) -> None:
        self._scripts = scripts
        self._oldest_ms = int(oldest.total_seconds() * 1000)
        partitions = scripts.keys.partitions
        self._looked_at = ["0-0"] * partitions
        self.loads: Sequence[Load] = [Load()] * partitions

    def is_behind(self, partition: int) -> bool:
        """Tell whether *partition* owes an event for longer than the limit."""
        return self.loads[partition].event_age_ms > self._oldest_ms

    async def measure(self) -> None:
        """
        Measure all partitions.

        Raises:
            StoreUnavailable: Redis did not answer; the last measurement stands.
        """
        numbers = range(self._scripts.keys.partitions)
        measured = await asyncio.gather(
            *(self._measured(number, self._looked_at[number]) for number in numbers)
        )
        self._looked_at = [each.looked_at for each in measured]
        self.loads = [_load(each) for each in measured]

    async def _measured(self, partition: int, look_from: str) -> Measured:
        """Count what *partition* owes and keeps, looking from the id *look_from* for what waits for us."""
        keys = self._scripts.keys
        names = [
            keys.inbox(partition),
            keys.parked(partition),
            keys.due(partition),
            keys.unresolved(partition),
            keys.dead(partition),
            keys.outbox(partition),
            keys.tally(partition),
            keys.lease(partition),
        ]
        answer = await self._scripts.calls.script(_MEASURE, names, [look_from])
        facts: list[Any] = [part.decode() if isinstance(part, bytes) else part for part in answer]
        return Measured(*facts)

    async def watch(self) -> None:
        """Measure, and write down what this process has counted, once a second, for ever."""
        while True:
            # While Redis is away nothing is accepted either.
            with suppress(StoreUnavailable):
                await self.measure()
                await self._scripts.counts.write()
            await asyncio.sleep(MEASURE_EVERY.total_seconds())


def _load(measured: Measured) -> Load:
    return Load(
        events=measured.events,
        parked=measured.parked,
        waiting=measured.waiting,
        unresolved=measured.unresolved,
        dead=measured.dead,
        effects=measured.effects,
        unremoved=measured.unremoved,
        lease_ms=max(0, measured.lease_ms),
        event_age_ms=_age_ms(measured.looked_at, measured.now_ms) if measured.waits_for_us else 0,
        effect_age_ms=_age_ms(measured.oldest_effect, measured.now_ms) if measured.oldest_effect else 0,
    )


def _age_ms(entry_id: str, now_ms: int) -> int:
    """An id begins with the server's time at which it was made."""
    return max(0, now_ms - int(entry_id.partition("-")[0]))
