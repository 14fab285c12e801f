"""A provider's callback end to end: signed, over HTTP, handled by a feature, its change in Redis."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import uvloop
from redis.asyncio import Redis

from routers.provider import Example
from routers.registry import providers
from state.conversation import Conversation
from state.expectations import Expectation, mint
from state.keys import Keys
from tests.benchmarks.apart import redis_apart
from tests.benchmarks.gateway.served import GIVE_UP_SECONDS, serving
from tests.benchmarks.gateway.throughput import AT_ONCE, RUNS
from tests.benchmarks.load import post, send_all
from tests.benchmarks.report import Report, medians
from tests.benchmarks.servers import BOT_ID, STRIPE_SECRET

CALLBACKS: Final = 3000
WARM_UP: Final = 200
#: One that takes calls and does the work, one that takes calls only, and the server's own limit.
KINDS: Final = ("ours, callbacks", "ours, callbacks accepted only", "bare uvicorn")


def run() -> None:
    """Measure every server in turn, and again, so that a machine that drifts is unjust to none."""
    uvloop.run(_run())


async def _run() -> None:
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    async with redis_apart() as redis_url:
        for _ in range(RUNS):
            for kind in KINDS:
                runs[kind].append(await _measure(kind, redis_url))
    figures = medians(runs)
    bare = figures["bare uvicorn"]["core_seconds_per_1000"]
    report = Report("callbacks", f"{CALLBACKS} callbacks of Stripe's, {AT_ONCE} at once, one core")
    for kind, of_kind in figures.items():
        handles = kind == KINDS[0]
        report.row(
            what=kind,
            cost_in_bare_requests=of_kind["core_seconds_per_1000"] / bare,
            lost=int(of_kind["lost"]) if handles else None,
            handled_per_second=of_kind["handled_per_second"] if handles else None,
            acknowledged_per_second=of_kind["acknowledged_per_second"],
            p50_ms=of_kind["p50_ms"],
            p99_ms=of_kind["p99_ms"],
            core_seconds_per_1000=of_kind["core_seconds_per_1000"],
        )
    report.close(runs=RUNS)


async def _measure(kind: str, redis_url: str) -> dict[str, float]:
    users = [Conversation.private(BOT_ID, user + 1) for user in range(WARM_UP + CALLBACKS)]
    counted = users if kind == KINDS[0] else []
    async with serving(kind, redis_url) as served:
        requests = await _expected(served.redis, users)
        await send_all(served.port, requests[:WARM_UP], AT_ONCE)
        await _handled(served.redis, counted[:WARM_UP])
        cpu = served.cpu_seconds
        began = time.perf_counter()
        load = await send_all(served.port, requests[WARM_UP:], AT_ONCE)
        ended, lost = await _handled(served.redis, counted[WARM_UP:])
        return {
            "lost": lost,
            "handled_per_second": (CALLBACKS - lost) / (max(ended, began + load.seconds) - began),
            "acknowledged_per_second": load.answered / load.seconds,
            "p50_ms": load.percentile(0.5),
            "p99_ms": load.percentile(0.99),
            "core_seconds_per_1000": (served.cpu_seconds - cpu) / CALLBACKS * 1000,
        }


async def _expected(redis: Redis, users: Sequence[Conversation]) -> Sequence[bytes]:
    """Expect a payment of each user, as a commit registers it, and return Stripe's calls that it came."""
    keys, stripe, now = Keys(), providers()["stripe"], datetime.now(UTC)
    pipeline = redis.pipeline(transaction=False)
    requests = []
    for user in users:
        partition = keys.partition_of(user)
        terms = Expectation(mint(partition), "bench", "payment", "room", 4200, "EUR")
        key = keys.expectation(partition, terms.token)
        pipeline.execute_command("HSET", key, "conversation", user.encode(), "terms", terms.pack())
        pipeline.execute_command("PEXPIRE", key, 3_600_000)
        body = stripe.examples["checkout.session.completed"](Example(terms.token, now))
        signed = stripe.signed(body, STRIPE_SECRET.encode(), now)
        requests.append(post("/webhooks/stripe", dict(signed.headers), body))
    await pipeline.execute()
    return requests


async def _handled(redis: Redis, users: Sequence[Conversation]) -> tuple[float, int]:
    """
    Wait until all *users* have paid, or no more of them do: what is missing then is lost.

    Return when the last one had, and how many are missing.
    """
    keys = [Keys().conversation(user) for user in users]
    paid, grew_at = 0, time.perf_counter()
    while paid < len(keys) and time.perf_counter() - grew_at < GIVE_UP_SECONDS:
        pipeline = redis.pipeline(transaction=False)
        for key in keys:
            pipeline.execute_command("HEXISTS", key, "d:paid")
        now_paid = sum(await pipeline.execute())
        if now_paid > paid:
            paid, grew_at = now_paid, time.perf_counter()
        await asyncio.sleep(0.02)
    return grew_at, len(keys) - paid
