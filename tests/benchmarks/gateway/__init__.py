"""End to end: an update over HTTP, handled by aiogram's dispatcher, its change in Redis."""

import os
import tempfile
from pathlib import Path

import uvloop

from gateway.embedded import EmbeddedRedis
from tests.benchmarks.gateway import burst, killed, pace, scale, throughput


def run() -> None:
    """Measure every server in turn, and again, so that a machine that drifts is unjust to none."""
    uvloop.run(_run())


async def _run() -> None:
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        if hasattr(os, "sched_setaffinity"):
            # The server has the first core to itself; the load and Redis share the others.
            os.sched_setaffinity(0, set(range(1, os.cpu_count() or 2)) or {0})
        async with EmbeddedRedis(Path(folder)) as redis:
            for part in (throughput, pace, burst, killed, scale):
                await part.measure(redis.url)
