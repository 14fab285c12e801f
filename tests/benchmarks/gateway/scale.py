"""What an update costs beside how many conversations, and in how many partitions."""

import asyncio
import statistics
from typing import Final

from redis.asyncio import Redis

from state.connection import connect
from tests.benchmarks import typical
from tests.benchmarks.gateway.served import HEADERS, serving, update
from tests.benchmarks.load import send
from tests.benchmarks.report import Report

RUNS: Final = 3
WARM_UP: Final = 1000
UPDATES: Final = 3000
USERS: Final = 500
AT_ONCE: Final = 40
MANY: Final = 1_000_000
#: Conversations that are there already, and partitions.
SIZES: Final = ((0, 1), (0, 8), (0, 64), (1_000, 64), (100_000, 64), (MANY, 64))


async def measure(redis_url: str) -> None:
    """Print the table; what it costs is to stay the same. Every size comes once in each run."""
    costs: dict[tuple[int, int], list[tuple[float, float]]] = {size: [] for size in SIZES}
    redis = await connect(redis_url)
    try:
        for _ in range(RUNS):
            for conversations, partitions in SIZES:
                await redis.flushall()
                if conversations:
                    await typical.copy(redis, conversations)
                    await _at_rest(redis)
                costs[conversations, partitions].append(await _cost(redis, redis_url, partitions))
    finally:
        await redis.flushall()
        await redis.aclose()
    report = Report("gateway", f"an update beside other conversations, {UPDATES} of {USERS} users")
    for (conversations, partitions), runs in costs.items():
        report.row(
            what="ours",
            conversations=conversations,
            partitions=partitions,
            core_us_an_update=statistics.median(ours for ours, _ in runs),
            core_us_of_redis_an_update=statistics.median(of_redis for _, of_redis in runs),
        )
    report.close(runs=RUNS)


async def _at_rest(redis: Redis) -> None:
    """Wait until Redis has written its log anew, as it does when that has grown by so much."""
    while True:
        disk = await redis.info("persistence")
        if not disk["aof_rewrite_in_progress"] and not disk["aof_rewrite_scheduled"]:
            return
        await asyncio.sleep(0.1)


async def _cost(redis: Redis, redis_url: str, partitions: int) -> tuple[float, float]:
    """Return the microseconds of a core that one update takes, and those that Redis takes for it."""
    users = range(1, USERS + 1)
    async with serving("ours", redis_url, keep=True, partitions=partitions) as served:
        counted = sum(data.get("count", 0) for data in await served.data(users))
        for first, updates in ((0, WARM_UP), (WARM_UP, UPDATES)):
            ours, of_redis = served.cpu_seconds, await _cpu_seconds(redis)
            bodies = [
                update(counted + first + number, (first + number) % USERS + 1) for number in range(updates)
            ]
            await send(served.port, served.path, HEADERS, bodies, AT_ONCE)
            await served.committed(counted + first + updates, users)
        ours, of_redis = served.cpu_seconds - ours, await _cpu_seconds(redis) - of_redis
        return ours / UPDATES * 1e6, of_redis / UPDATES * 1e6


async def _cpu_seconds(redis: Redis) -> float:
    used = await redis.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])
