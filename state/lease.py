"""The time-limited right to work on a partition, with a fencing token that every commit checks."""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf

from state.scripts import Scripts


@dataclass(slots=True)
class Lease:
    """One worker's right to one partition. *value* ends in the fencing token, which only ever grows."""

    partition: int
    value: str
    until: float = inf
    """By this machine's monotonic clock; Redis ends it no earlier."""

    @property
    def may_be_over(self) -> bool:
        """It was not renewed in time, so another worker may hold the partition."""
        return time.monotonic() >= self.until

    def end(self) -> None:
        """Note that another worker holds the partition."""
        self.until = -inf


class Leases:
    """
    Takes, keeps and gives back partitions in one worker's name.

    *duration* is the longest time after a worker's death in which nobody works on its partitions: a lease
    lasts three quarters of it, and every worker looks for free ones once in each `look_every`.
    """

    def __init__(self, scripts: Scripts, duration: timedelta = timedelta(seconds=10)) -> None:
        self._scripts = scripts
        self.worker = scripts.worker
        self.duration = duration
        self.look_every = duration / 6
        self._lasts_ms = int(duration.total_seconds() * 750)

    async def claim(self, partition: int) -> Lease | None:
        """Take *partition* if nobody holds it."""
        until = self._lasts_until()
        value = await self._scripts.claim(partition, self.worker, self._lasts_ms)
        return Lease(partition, value, until) if value else None

    async def unheld(self, partitions: Collection[int]) -> Sequence[int]:
        """Return those of *partitions* that nobody holds."""
        names = [self._scripts.keys.lease(partition) for partition in partitions]
        holders = await asyncio.gather(*(self._scripts.calls.command("GET", name) for name in names))
        return [partition for partition, holder in zip(partitions, holders, strict=True) if holder is None]

    async def renew(self, lease: Lease) -> bool:
        """Keep *lease* for its whole time from now; False: it is no longer ours."""
        until = self._lasts_until()
        held = await self._scripts.hold(lease.partition, lease.value, self._lasts_ms)
        if held:
            lease.until = until
        return held

    def _lasts_until(self) -> float:
        return time.monotonic() + self._lasts_ms / 1000

    async def release(self, lease: Lease) -> None:
        """Give *lease* back, so that the next worker need not wait for its end."""
        await self._scripts.hold(lease.partition, lease.value, 0)

    async def sign_of_life(self) -> frozenset[str]:
        """Say that this worker lives; return all that do, this one included."""
        return await self._scripts.sign(self._lasts_ms)

    async def sign_off(self) -> None:
        """Say that this worker takes no more work, so that others take its share."""
        await self.tell(await self._scripts.sign(0))

    async def tell(self, workers: Collection[str]) -> None:
        """Have the other ones of *workers* look at once for partitions to take or give back."""
        channels = [self._scripts.keys.wake_channel(worker) for worker in workers if worker != self.worker]
        await asyncio.gather(*(self._scripts.calls.command("PUBLISH", name, "leases") for name in channels))
