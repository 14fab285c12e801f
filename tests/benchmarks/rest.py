"""The edge of REST, per core: one event, a field of a draft, and a thousand events in one call."""

import time

import orjson
import uvloop

from state.api_keys import ApiKeys, Scope
from state.connection import connect
from state.grouping import GroupedCalls
from state.keys import Keys
from tests.benchmarks.apart import redis_apart
from tests.benchmarks.load import send
from tests.benchmarks.report import Report, medians
from tests.benchmarks.rest_servers import KINDS
from tests.benchmarks.server_process import cpu_seconds, server_process
from tests.ports import free_port

RUNS = 3
CALLS = 3000
BATCHES = 5
AT_ONCE = 40
EVENTS, DRAFT, BATCH = "POST /v1/events", "PATCH .../drafts", "POST /v1/events:batch"


def run() -> None:
    """Measure every server in turn, and again, so that a machine that drifts is unjust to none."""
    uvloop.run(_run())


async def _run() -> None:
    figures: dict[tuple[str, str], list[dict[str, float]]] = {}
    async with redis_apart() as redis_url:
        for _ in range(RUNS):
            for kind in KINDS:
                for what, measured in (await _measure(kind, redis_url)).items():
                    figures.setdefault((kind, what), []).append(measured)
    _tell(figures)


async def _measure(kind: str, redis_url: str) -> dict[str, dict[str, float]]:
    redis = await connect(redis_url)
    await redis.flushall()
    keys = ApiKeys(GroupedCalls(redis), Keys())
    now_ms = time.time_ns() // 1_000_000
    _, key = await keys.create("bench", frozenset(Scope), now_ms=now_ms)
    port = free_port()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    draft = "/v1/bots/main/users/501/drafts/shop"
    module = "tests.benchmarks.rest_servers"
    try:
        async with server_process(module, kind, port, redis_url) as server:

            async def measured(path: str, bodies: list[bytes], each: int, method: str) -> dict[str, float]:
                cpu = cpu_seconds(server)
                load = await send(port, path, headers, bodies, min(AT_ONCE, len(bodies)), method=method)
                spent = cpu_seconds(server) - cpu
                return {
                    "a_second": load.answered * each / load.seconds,
                    "a_core_second": load.answered * each / spent,
                    "p99_ms": load.percentile(0.99),
                }

            await measured("/v1/events", [_event(number) for number in range(300)], 1, "POST")
            found = {
                EVENTS: await measured(
                    "/v1/events", [_event(1000 + number) for number in range(CALLS)], 1, "POST"
                ),
                DRAFT: await measured(
                    draft, [orjson.dumps({f"f{number % 50}": number}) for number in range(CALLS)], 1, "PATCH"
                ),
            }
            if kind == "ours":
                lines = [
                    b"\n".join(_event(10_000 + 1000 * batch + number) for number in range(1000))
                    for batch in range(BATCHES)
                ]
                found[BATCH] = await measured("/v1/events:batch", lines, 1000, "POST")
            return found
    finally:
        await redis.aclose()


def _tell(runs: dict[tuple[str, str], list[dict[str, float]]]) -> None:
    figures = medians(runs)
    report = Report("rest", f"{CALLS} calls, {AT_ONCE} at once, one core; batches of 1,000 events")
    for (kind, what), of_kind in figures.items():
        ours, single = figures["ours", what], figures["ours", EVENTS]
        report.row(
            what=f"{what}: {kind}",
            ours_is_so_many_times_per_core=ours["a_core_second"] / of_kind["a_core_second"],
            so_many_times_our_single_events=of_kind["a_core_second"] / single["a_core_second"],
            a_second=of_kind["a_second"],
            a_core_second=of_kind["a_core_second"],
            p99_ms=of_kind["p99_ms"],
        )
    report.close(runs=RUNS)


def _event(number: int) -> bytes:
    meta = {"type": "shop.order", "user_id": 1 + number % 5000, "bot": "main", "id": str(number)}
    return orjson.dumps({"meta": meta, "payload": {"item": "tea", "number": number}})
