"""How soon an update is acknowledged that comes when the server has time for it."""

import asyncio
import statistics
import time
from typing import Final

from tests.benchmarks.gateway.served import HEADERS, Served, serving, update
from tests.benchmarks.load import Connection, post
from tests.benchmarks.report import Report

RUNS: Final = 3
PER_SECOND: Final = (100, 400, 800)
SECONDS: Final = 4
USERS: Final = 500
CONNECTIONS: Final = 40
KINDS: Final = ("ours", "aiogram", "bare uvicorn and one accept")


async def measure(redis_url: str) -> None:
    """Print the table. A pace that a server cannot keep shows as times that grow."""
    figures: dict[tuple[str, int], list[list[float]]] = {}
    for _ in range(RUNS):
        for kind in KINDS:
            async with serving(kind, redis_url) as served:
                # The first calls of a process are slower.
                await _times(served, 200, 2, first=0)
                for pace in PER_SECOND:
                    times = await _times(served, pace, SECONDS, first=1000 * pace)
                    figures.setdefault((kind, pace), []).append(times)
    report = Report("gateway", f"acknowledged after so many ms, updates at a steady pace for {SECONDS} s")
    for (kind, pace), runs in figures.items():
        report.row(
            what=kind,
            updates_per_second=pace,
            p50_ms=statistics.median(times[len(times) // 2] for times in runs),
            p99_ms=statistics.median(times[int(len(times) * 0.99)] for times in runs),
        )
    report.close(runs=RUNS)


async def _times(served: Served, per_second: int, seconds: int, *, first: int) -> list[float]:
    """Return how long each answer took since its update was due, sorted, in milliseconds."""
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await Connection.open(served.port))
    times: list[float] = []
    began = time.perf_counter()

    async def ask(number: int, due: float) -> None:
        connection = await idle.get()
        await connection.ask(post(served.path, HEADERS, update(first + number, number % USERS + 1)))
        idle.put_nowait(connection)
        times.append((time.perf_counter() - due) * 1000)

    async with asyncio.TaskGroup() as asking:
        for number in range(per_second * seconds):
            due = began + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asking.create_task(ask(number, due))
    while not idle.empty():
        idle.get_nowait().close()
    return sorted(times)
