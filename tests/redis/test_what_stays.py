"""G8: nothing is left of an event that has ended, and what was given up is kept for its time only."""

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from gateway import Director, Feature, TimerFired, dead_letter
from gateway.settings import ChatRetries, OtherRetries, RetriesSettings, Settings, WorkerSettings
from routers.event import OtherEvent
from state.conversation import Conversation
from state.dead_letters import DeadLetters
from state.errors import StoreUnavailable
from state.expectations import mint
from state.lease import Lease
from state.sweeper import Sweeper
from state.waiting_events import UnresolvedEvents
from tests.redis.conftest import Outside, Run
from tests.redis.test_worker import Broken
from tests.waiting import wait_until

DAY_MS = 86_400_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The bot's settings, with two runs for each event and a lease that a busy machine does not lose."""
    retries = RetriesSettings(chat=ChatRetries(attempts=2), other=OtherRetries(attempts=2))
    worker = WorkerSettings(lease_seconds=60)
    return settings.model_copy(update={"retries": retries, "worker": worker})


async def test_runs_that_fail_because_the_store_is_away_are_not_counted(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """Its handler is not to blame: it runs until the store is back."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.order")
    async def order(event: OtherEvent, director: Director) -> None:
        runs.append(event.object_id)
        if len(runs) < 5:
            raise StoreUnavailable(1, reason="as storage says it")
        await director.state.update_data(order=event.object_id)

    runtime = await run(feature)
    await outside.send("shop.order", to=conversation, object_id="tea")
    await outside.settled()

    assert await runtime.container.storage.get_data(conversation.storage_key()) == {"order": "tea"}
    assert await DeadLetters(outside.scripts).count() == 0


async def test_a_cancelled_timer_whose_event_waited_for_its_retry_leaves_nothing(
    run: Run, outside: Outside, conversation: Conversation, redis: Redis
) -> None:
    """Neither its count of runs nor its time of the next one."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.late")
    async def late(event: TimerFired) -> None:
        runs.append(event.object_id)
        raise Broken

    runtime = await run(feature)
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        director.after("shop.late", seconds=0.01)
    keys, partition = outside.keys, outside.keys.partition_of(conversation)

    async def waits() -> bool:
        return await redis.zcard(keys.due(partition)) == 1

    await wait_until(waits, description="it has failed once, and waits")
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        director.cancel("shop.late")

    assert await redis.xlen(keys.inbox(partition)) == 0
    assert await redis.exists(keys.attempts(partition), keys.due(partition), keys.parked(partition)) == 0
    assert len(runs) == 1


async def test_what_was_given_up_is_kept_for_its_time_only(
    run: Run, outside: Outside, conversation: Conversation, redis: Redis
) -> None:
    """Dead letters are forgotten after it, and events without a conversation given up after theirs."""
    feature = Feature("shop")

    @feature.on("shop.order", state=[], otherwise=dead_letter)
    async def order(_: OtherEvent) -> None:
        raise Broken

    await run(feature)
    await outside.send("shop.order", to=conversation)
    await outside.settled()
    token = mint(outside.keys.partition_of(conversation))
    await outside.send("shop.order", to=None, token=token)
    letters, unresolved = DeadLetters(outside.scripts), UnresolvedEvents(outside.scripts)
    [letter], [waiting] = (await letters.page()).events, (await unresolved.page()).events
    partition = outside.keys.partition_of(conversation)
    value = await redis.get(outside.keys.lease(partition))
    assert isinstance(value, bytes)
    lease = Lease(partition, value.decode())
    sweeper = Sweeper(
        outside.scripts,
        give_up_unresolved_after=timedelta(days=1),
        forget_dead_letters_after=timedelta(days=3),
    )

    async def kept(days: float) -> tuple[list[str], list[str]]:
        await sweeper.sweep(lease, waiting.kept_since_ms + int(days * DAY_MS))
        dead = [each.reason async for each in letters.scan()]
        return dead, [each.id async for each in unresolved.scan()]

    assert await kept(0.9) == ([letter.reason], [waiting.id])
    assert await kept(1.1) == ([letter.reason, "unresolved"], [])
    assert await kept(3.1) == ([], [])
    assert await letters.get(letter.id) is None
