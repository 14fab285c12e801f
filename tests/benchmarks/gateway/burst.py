"""How soon, and in which order, ten updates of one user are handled that come to two processes at once."""

import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from typing import Final

from tests.benchmarks.gateway.served import HEADERS, Served, serving, update
from tests.benchmarks.load import Connection, post
from tests.benchmarks.report import Report

RUNS: Final = 20
BURST: Final = 10
APART_SECONDS: Final = 0.001
KINDS: Final = ("ours listing", "aiogram listing", "aiogram isolated listing")
GIVE_UP_SECONDS: Final = 1.5


async def measure(redis_url: str) -> None:
    """Print the table."""
    report = Report("gateway", f"{BURST} updates of one user, a millisecond apart, to two processes in turn")
    for kind in KINDS:
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(serving(kind, redis_url))
            second = await stack.enter_async_context(serving(kind, redis_url, keep=True))
            connections = [await Connection.open((first, second)[number % 2].port) for number in range(BURST)]
            bursts = [await _burst(first, connections, user) for user in range(1, RUNS + 4)][3:]
            for connection in connections:
                connection.close()
        report.row(
            what=kind.removesuffix(" listing"),
            all_done_after_ms=statistics.median(milliseconds for milliseconds, _, _ in bursts),
            slowest_ms=max(milliseconds for milliseconds, _, _ in bursts),
            in_order=f"{sum(in_order for _, in_order, _ in bursts)} of {len(bursts)}",
            lost=sum(lost for _, _, lost in bursts),
        )
    report.close(runs=RUNS)


async def _burst(served: Served, connections: list[Connection], user: int) -> tuple[float, bool, int]:
    """Return after how many ms all were done, whether they were handled in order, and how many were lost."""
    sent = list(range(user * 100, user * 100 + BURST))
    began = time.perf_counter()
    async with asyncio.TaskGroup() as asking:
        for number, connection in zip(sent, connections, strict=True):
            asking.create_task(connection.ask(post(served.path, HEADERS, update(number, user))))
            await asyncio.sleep(APART_SECONDS)
    handled: list[str] = []
    while len(handled) < BURST and time.perf_counter() - began < GIVE_UP_SECONDS:
        [data] = await served.data([user])
        handled = data.get("handled", [])
    ended = time.perf_counter()
    return (ended - began) * 1000, handled == [f"message {number}" for number in sent], BURST - len(handled)
