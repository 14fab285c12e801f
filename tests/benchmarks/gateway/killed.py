"""What is lost of what was acknowledged, and what is left half done, when a server is killed at full load."""

import asyncio
import statistics
import time
from typing import Final

from tests.benchmarks.gateway.served import HEADERS, Served, serving, update
from tests.benchmarks.load import Connection, post, send
from tests.benchmarks.report import Report
from tests.benchmarks.servers import COMPARED

RUNS: Final = 3
USERS: Final = 1000
AT_ONCE: Final = 40
KILL_AFTER: Final = 500
#: What comes first, of other users: a process that has just begun is slower, and would lose more.
WARM_UP: Final = range(5001, 5501)
#: Longer than a dead worker's leases last.
WAIT_SECONDS: Final = 14.0


async def measure(redis_url: str) -> None:
    """Print the table."""
    report = Report(
        "gateway",
        f"SIGKILL after {KILL_AFTER} acknowledged updates, {AT_ONCE} at once, then a new process",
    )
    for kind in COMPARED:
        runs = [await _killed(kind, redis_url) for _ in range(RUNS)]
        report.row(
            what=kind,
            acknowledged=int(statistics.median(acknowledged for acknowledged, _, _ in runs)),
            lost=int(statistics.median(lost for _, lost, _ in runs)),
            most_lost=max(lost for _, lost, _ in runs),
            half_done=int(statistics.median(half for _, _, half in runs)),
        )
    report.close(runs=RUNS)


async def _killed(kind: str, redis_url: str) -> tuple[int, int, int]:
    """Return how many were acknowledged, how many of those were lost, and how many users' are half done."""
    async with serving(kind, redis_url) as served:
        warm_up = [update(user, user) for user in WARM_UP]
        await send(served.port, served.path, HEADERS, warm_up, AT_ONCE)
        await served.committed(len(warm_up), WARM_UP)
        acknowledged = await _until_killed(served)
    async with serving(kind, redis_url, port=served.port, keep=True) as again:
        give_up_at = time.perf_counter() + WAIT_SECONDS
        while True:
            lost = sum(not data for data in await again.data(acknowledged))
            if not lost or time.perf_counter() > give_up_at:
                break
            await asyncio.sleep(0.1)
        everybody = range(1, USERS + 1)
        kept = zip(await again.data(everybody), await again.states(everybody), strict=True)
        return len(acknowledged), lost, sum(bool(data) != bool(state) for data, state in kept)


async def _until_killed(served: Served) -> list[int]:
    """Send one update of each user until the server is killed; return whose were acknowledged."""
    users = iter(range(1, USERS + 1))
    acknowledged: list[int] = []

    async def ask() -> None:
        connection = await Connection.open(served.port)
        try:
            for user in users:
                await connection.ask(post(served.path, HEADERS, update(user, user)))
                acknowledged.append(user)
                if len(acknowledged) == KILL_AFTER:
                    await served.kill()
        except (OSError, asyncio.IncompleteReadError):
            # It is dead.
            pass
        finally:
            connection.close()

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return acknowledged
