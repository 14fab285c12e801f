"""End to end: an update over HTTP, handled by aiogram's dispatcher, its change in Redis."""

import uvloop

from tests.benchmarks.apart import redis_apart
from tests.benchmarks.gateway import burst, killed, pace, scale, throughput


def run() -> None:
    """Measure every server in turn, and again, so that a machine that drifts is unjust to none."""
    uvloop.run(_run())


async def _run() -> None:
    async with redis_apart() as redis_url:
        for part in (throughput, pace, burst, killed, scale):
            await part.measure(redis_url)
