"""The time-limited right to work on a partition, with a fencing token that every commit checks."""

from dataclasses import dataclass
from datetime import timedelta

from state.scripts import Scripts


@dataclass(frozen=True, slots=True)
class Lease:
    """One worker's right to one partition. *value* ends in the fencing token, which only ever grows."""

    partition: int
    value: str


class Leases:
    """Takes, keeps and gives back partitions in one worker's name."""

    def __init__(self, scripts: Scripts, duration: timedelta = timedelta(seconds=10)) -> None:
        self._scripts = scripts
        self.worker = scripts.worker
        self.duration = duration

    @property
    def _milliseconds(self) -> int:
        return int(self.duration.total_seconds() * 1000)

    async def claim(self, partition: int) -> Lease | None:
        """Take *partition* if nobody holds it."""
        value = await self._scripts.claim(partition, self.worker, self._milliseconds)
        return Lease(partition, value) if value else None

    async def renew(self, lease: Lease) -> bool:
        """Keep *lease* for its whole duration from now; False: it is no longer ours."""
        return await self._scripts.hold(lease.partition, lease.value, self._milliseconds)

    async def release(self, lease: Lease) -> None:
        """Give *lease* back, so that the next worker need not wait for its end."""
        await self._scripts.hold(lease.partition, lease.value, 0)

    async def sign_of_life(self, now_ms: int) -> int:
        """Say that this worker lives; return how many do, this one included."""
        calls, workers = self._scripts.calls, self._scripts.keys.workers
        await calls.command("ZADD", workers, now_ms, self.worker)
        await calls.command("ZREMRANGEBYSCORE", workers, "-inf", now_ms - 2 * self._milliseconds)
        return int(await calls.command("ZCARD", workers))

    async def sign_off(self) -> None:
        """Say that this worker takes no more work, so that others take its share."""
        await self._scripts.calls.command("ZREM", self._scripts.keys.workers, self.worker)
