"""Workers share the partitions, and take over and hand over without two of them ever at one."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from gateway import Feature
from gateway.gateway import Gateway
from gateway.runtime import Runtime, running
from gateway.settings import Settings, WorkerSettings
from routers.event import OtherEvent
from state.conversation import Conversation
from state.ending import ended
from state.scripts import Committed
from state.wake import Word
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """No lease ends by itself within a test, however slow the machine is: all is told, nothing waited out."""
    return settings.model_copy(update={"worker": WorkerSettings(lease_seconds=60)})


def held(*runtimes: Runtime) -> list[int]:
    """How many partitions each holds."""
    return [len(runtime.worker.held) for runtime in runtimes if runtime.worker is not None]


async def test_workers_share_the_partitions_evenly(run: Run) -> None:
    """Whoever comes later gets a fair share of those that the first had taken, and none is left out."""
    first = await run(Feature("shop"))
    await wait_until(lambda: held(first) == [64], description="the first has all")
    second = await run(Feature("shop"))
    await wait_until(lambda: held(first, second) == [32, 32], description="two share")
    third = await run(Feature("shop"))

    await wait_until(
        lambda: sum(held(first, second, third)) == 64 and max(held(first, second, third)) <= 22,
        description="three share",
    )


async def test_a_stopping_worker_hands_over_within_a_second(
    run: Run, settings: Settings, redis_url: str
) -> None:
    """It says so, and those who stay need not wait for the end of its leases."""
    async with AsyncExitStack() as leaving:
        first = await leaving.enter_async_context(running(Gateway(Feature("shop")), settings, redis_url))
        await wait_until(lambda: held(first) == [64], description="the first has all")
        second = await run(Feature("shop"))
        await wait_until(lambda: held(first, second) == [32, 32], description="two share")
        began = time.monotonic()
    await wait_until(lambda: held(second) == [64], description="the second has all")

    assert time.monotonic() - began < 1


async def test_what_is_handed_over_is_not_called_lost(run: Run) -> None:
    """Losing a lease is a warning, since work is cut short; sharing is every day's work."""
    first = await run(Feature("shop"))
    await wait_until(lambda: held(first) == [64], description="the first has all")
    worker = first.worker
    assert worker is not None

    async def look_all_the_time() -> None:
        while True:
            worker.woken(Word(None))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look_all_the_time())
    with capture_logs() as lines:
        second = await run(Feature("shop"))
        await wait_until(lambda: held(first, second) == [32, 32], description="two share")
    await ended(looking)

    assert [line["event"] for line in lines if line["log_level"] == "warning"] == []


async def test_a_busy_partition_is_handed_over_too(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """After its running handler; its next event runs at the new holder, none twice."""
    runs, proceed = [], asyncio.Event()

    def shop() -> Feature:
        feature = Feature("shop")

        @feature.on("shop.step")
        async def step(event: OtherEvent) -> None:
            runs.append(event.object_id)
            await proceed.wait()

        return feature

    for number in range(4):
        await outside.send("shop.step", to=conversation, object_id=str(number))
    first = await run(shop())
    await wait_until(lambda: runs == ["0"], description="the first event runs")
    second = await run(shop())
    await wait_until(lambda: sum(held(first, second)) >= 63, description="they share")
    proceed.set()
    await outside.settled()
    await wait_until(lambda: held(first, second) == [32, 32], description="the busy one is shared too")

    assert runs == ["0", "1", "2", "3"]


async def test_an_event_whose_commit_was_made_does_not_run_again(
    run: Run, outside: Outside, conversation: Conversation, redis: Redis
) -> None:
    """Even if the answer to its commit was lost: its handler is not even begun."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.step")
    async def step(event: OtherEvent) -> None:
        runs.append(event.object_id)

    partition = outside.keys.partition_of(conversation)
    await run(feature)
    await outside.send("shop.step", to=conversation, object_id="ours")
    await outside.settled()
    lease = await redis.get(outside.keys.lease(partition))
    assert isinstance(lease, bytes)
    gone = await outside.scripts.load(lease.decode(), "1-0", conversation, object_key=None)

    assert gone is Committed.GONE
    assert runs == ["ours"]
    assert await redis.exists(outside.keys.attempts(partition)) == 0
