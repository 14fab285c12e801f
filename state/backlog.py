"""How much is owed: events to the bot, effects to Telegram."""

import asyncio
from dataclasses import dataclass

from state.grouping import GroupedCalls
from state.keys import Keys


@dataclass(frozen=True, slots=True)
class Owed:
    """What all partitions together owe now."""

    events: int
    effects: int

    def __bool__(self) -> bool:
        return bool(self.events or self.effects)


class Backlog:
    """Counts what is owed, in one round trip."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def owed(self) -> Owed:
        """
        Return what is owed now; an event that waits for its retry, or is parked, counts.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        partitions = range(self._keys.partitions)
        events = [self._calls.command("XLEN", self._keys.inbox(number)) for number in partitions]
        effects = [self._calls.command("XLEN", self._keys.outbox(number)) for number in partitions]
        lengths = await asyncio.gather(*events, *effects)
        return Owed(sum(lengths[: len(events)]), sum(lengths[len(events) :]))
