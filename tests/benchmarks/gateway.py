"""End to end: an update over HTTP, handled by aiogram's dispatcher, its change in Redis."""

import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
import psutil  # type: ignore[import-untyped]  # the package carries no types
import uvloop
from redis.asyncio import Redis

from gateway.embedded import EmbeddedRedis
from state.connection import connect
from state.conversation import Conversation
from state.keys import Keys
from tests.benchmarks.load import Load, send
from tests.benchmarks.report import Report
from tests.benchmarks.servers import COMPARED, SECRET

RUNS = 3
UPDATES = 3000
USERS = 500
AT_ONCE = 40
#: Counters that have not grown for so long do not grow any more.
GIVE_UP_SECONDS = 2.0


def run() -> None:
    """Measure every server in turn, and again, so that a machine that drifts is unjust to none."""
    uvloop.run(_run())


async def _run() -> None:
    figures: dict[str, list[dict[str, float]]] = {kind: [] for kind in COMPARED}
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        if hasattr(os, "sched_setaffinity"):
            # The server has the first core to itself; the load and Redis share the others.
            os.sched_setaffinity(0, set(range(1, os.cpu_count() or 2)) or {0})
        async with EmbeddedRedis(Path(folder)) as redis:
            for _ in range(RUNS):
                for kind in COMPARED:
                    figures[kind].append(await _measure(kind, redis.url))
    _tell(figures)


async def _measure(kind: str, redis_url: str) -> dict[str, float]:
    redis = await connect(redis_url)
    await redis.flushall()
    port = _free_port()
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.servers", kind, str(port), redis_url
    )
    try:
        await _listening(port)
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
        warm_up = [_update(number) for number in range(1, 201)]
        await send(port, "/telegram/42", headers, warm_up, AT_ONCE)
        await _committed(redis, kind, 200)
        process = psutil.Process(server.pid)
        cpu = sum(process.cpu_times()[:2])
        began = time.perf_counter()
        bodies = [_update(1000 + number) for number in range(UPDATES)]
        load: Load = await send(port, "/telegram/42", headers, bodies, AT_ONCE)
        ended, lost = await _committed(redis, kind, 200 + UPDATES)
        seconds = ended - began
        return {
            "acknowledged": load.answered / load.seconds,
            "committed": (UPDATES - lost) / seconds,
            "lost": lost,
            "p50_ms": load.percentile(0.5),
            "p99_ms": load.percentile(0.99),
            "core_seconds": (sum(process.cpu_times()[:2]) - cpu) / UPDATES * 1000,
        }
    finally:
        server.terminate()
        await server.wait()
        await redis.aclose()


async def _committed(redis: Redis, kind: str, expected: int) -> tuple[float, int]:
    """
    Wait until the users' counters add up to *expected*, or grow no more: what is missing then is lost.

    Return when they grew last, and what is missing.
    """
    counted, grew_at = 0, time.perf_counter()
    while counted < expected and time.perf_counter() - grew_at < GIVE_UP_SECONDS:
        now_counted = expected if kind.startswith("bare") else await _counted(redis, kind)
        if now_counted > counted:
            counted, grew_at = now_counted, time.perf_counter()
        await asyncio.sleep(0.005)
    return grew_at, expected - counted


async def _counted(redis: Redis, kind: str) -> int:
    pipeline = redis.pipeline(transaction=False)
    if kind == "ours":
        keys = Keys()
        names = [keys.conversation(Conversation.private(42, user)) for user in range(1, USERS + 1)]
        for name in names:
            pipeline.execute_command("HGET", name, "d:count")
        return sum(int(value or 0) for value in await pipeline.execute())
    values = await redis.mget([f"fsm:42:{user}:{user}:data" for user in range(1, USERS + 1)])
    return sum(orjson.loads(value)["count"] for value in values if value)


def _tell(figures: dict[str, list[dict[str, float]]]) -> None:
    medians = {
        kind: {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        for kind, runs in figures.items()
    }
    ours = medians["ours"]
    report = Report("gateway", f"{UPDATES} updates of {USERS} users, {AT_ONCE} at once, one core")
    for kind, median in medians.items():
        report.row(
            what=kind,
            ours_is_so_many_times_committed=ours["committed"] / median["committed"],
            ours_is_so_many_times_acknowledged=ours["acknowledged"] / median["acknowledged"],
            lost=int(median["lost"]),
            committed_per_second=median["committed"],
            acknowledged_per_second=median["acknowledged"],
            p50_ms=median["p50_ms"],
            p99_ms=median["p99_ms"],
            core_seconds_per_1000=median["core_seconds"],
        )
    report.close(runs=RUNS)


def _update(number: int) -> bytes:
    user = number % USERS + 1
    person: dict[str, Any] = {"id": user, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    return orjson.dumps(
        {
            "update_id": number,
            "message": {
                "message_id": number,
                "date": 1_795_000_000,
                "chat": {"id": user, "type": "private", "first_name": "Ada"},
                "from": person,
                "text": f"message {number}",
            },
        }
    )


async def _listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
