"""What all processes together have done, kept in Redis: whichever is asked can tell."""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from state.errors import StoreUnavailable
from state.grouping import GroupedCalls
from state.keys import Keys

#: Upper ends of the classes into which times are sorted, in ms.
TIME_CLASSES_MS: Final = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)
_CLASSES: Final = (*map(str, TIME_CLASSES_MS), "")


class Counts:
    """
    Counts in memory and adds to Redis once a second.

    SIGKILL loses the last second of it. Labels come from the configuration and from our own enums, never from
    what a caller sends: there are only so many.
    """

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._key = keys.counts
        self._new: Counter[tuple[str, ...]] = Counter()

    def add(self, name: str, *labels: str, by: int = 1) -> None:
        """Count *name* under *labels*."""
        self._new[name, *labels] += by

    def time(self, name: str, label: str, milliseconds: int) -> None:
        """Count one duration of *name*: its class, and its part of the sum."""
        longest = _CLASSES[bisect_left(TIME_CLASSES_MS, milliseconds)]
        self.add(f"{name}_class", label, longest)
        self.add(f"{name}_ms", label, by=milliseconds)

    async def write(self) -> None:
        """
        Add what is new to Redis, in one round trip.

        Raises:
            StoreUnavailable: Redis did not answer; it is added the next time.
        """
        new, self._new = self._new, Counter()
        if not new:
            return
        try:
            await asyncio.gather(
                *(
                    self._calls.command("HINCRBY", self._key, orjson.dumps(name), count)
                    for name, count in new.items()
                )
            )
        except StoreUnavailable:
            self._new.update(new)
            raise

    async def all(self) -> Mapping[tuple[str, ...], int]:
        """
        Return what all processes have counted, ever.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        rows = await self._calls.command("HGETALL", self._key)
        return {tuple(orjson.loads(name)): int(count) for name, count in pairs(rows).items()}


def pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return Redis's flat name, value, name, value as a mapping."""
    return dict(zip(flat[::2], flat[1::2], strict=True))
