"""The Redis of a suite, kept off the core that the measured servers have."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.embedded import EmbeddedRedis


@asynccontextmanager
async def redis_apart() -> AsyncIterator[str]:
    """Run a Redis, and this process with its load, on all cores but the first; yield its address."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(range(1, os.cpu_count() or 2)) or {0})
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        async with EmbeddedRedis(Path(folder)) as redis:
            yield redis.url
