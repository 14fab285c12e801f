"""What delivery could not do, counted: so many since the store was begun."""

import asyncio
from collections import Counter
from enum import Enum

from state.grouping import GroupedCalls
from state.keys import Keys
from state.snapshot import pairs


class Tallied(Enum):
    """What is counted."""

    UNREMOVED = "unremoved"
    """A message that should have gone is still in the chat, without its buttons: it was too old."""
    DROPPED = "dropped"
    """An effect was not tried: its chat takes nothing."""
    REFUSED = "refused"
    """Telegram has refused an effect for good."""
    REPEATED = "repeated"
    """A message was sent again because no answer had come; the user may see it twice."""


class Tally:
    """Reads the counts of all partitions."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def totals(self) -> dict[Tallied, int]:
        """
        Return how often each has happened.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        partitions = range(self._keys.partitions)
        rows = await asyncio.gather(
            *(self._calls.command("HGETALL", self._keys.tally(number)) for number in partitions)
        )
        totals: Counter[Tallied] = Counter(dict.fromkeys(Tallied, 0))
        for row in rows:
            totals.update({Tallied(name.decode()): int(count) for name, count in pairs(row).items()})
        return dict(totals)
