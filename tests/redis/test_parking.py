"""Early and late events: parked for their time, ignored, applied all the same, or given up."""

from collections.abc import Sequence

import pytest
from aiogram.fsm.state import State, StatesGroup
from redis.asyncio import Redis

from gateway import Feature, apply, dead_letter, ignore, park
from gateway.feature import Otherwise, Park
from gateway.gateway import Gateway
from gateway.runtime import running
from gateway.settings import Settings
from routers.event import OtherEvent
from state.conversation import Conversation
from state.dead_letters import DeadLetters
from state.waiting_events import ParkedEvents
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until


class _Shop(StatesGroup):
    choosing = State()
    paying = State()


def shop(seen: list[str], otherwise: Otherwise | Park) -> Feature:
    """A feature that takes payments while the user is paying."""
    feature = Feature("shop")

    @feature.on("shop.paid", state=_Shop.paying, otherwise=otherwise)
    async def paid(event: OtherEvent) -> None:
        seen.append(event.object_id)

    return feature


async def reasons(outside: Outside) -> Sequence[str]:
    """Why what was given up was given up."""
    return [letter.reason async for letter in DeadLetters(outside.scripts).scan()]


async def parked(outside: Outside) -> int:
    """How many events are parked."""
    return await ParkedEvents(outside.scripts).count()


@pytest.mark.parametrize(
    "otherwise, applied, given_up",
    [
        (ignore, [], []),
        (apply, ["tea"], []),
        (dead_letter, [], ["not expected in state None"]),
    ],
)
async def test_an_event_for_another_state_ends_as_its_handler_says(
    run: Run,
    outside: Outside,
    conversation: Conversation,
    otherwise: Otherwise,
    applied: list[str],
    given_up: list[str],
) -> None:
    """Ignored, applied all the same, or given up for a person to look at."""
    seen: list[str] = []
    await run(shop(seen, otherwise))
    await outside.send("shop.paid", to=conversation, object_id="tea")
    await outside.settled()

    assert (seen, await reasons(outside)) == (applied, given_up)


async def test_a_parked_event_is_given_up_when_its_time_is_over(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """The state it waited for did not come."""
    seen: list[str] = []
    await run(shop(seen, park(minutes=0.005)))
    await outside.send("shop.paid", to=conversation)
    await outside.settled()

    assert (seen, await reasons(outside), await parked(outside)) == ([], ["parked"], 0)


async def test_another_state_than_the_awaited_one_leaves_it_parked(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """It is looked at again, for no longer than before, and its looks are no failed runs."""
    seen: list[str] = []
    runtime = await run(shop(seen, park(hours=1)))
    storage, key = runtime.container.storage, conversation.storage_key()
    events = ParkedEvents(outside.scripts)
    await outside.send("shop.paid", to=conversation, object_id="tea")
    await wait_until(lambda: _is_parked(outside), description="it is parked")
    [before] = (await events.page()).events
    for number in range(20):
        await storage.set_state(key, _Shop.choosing if number % 2 else None)
        await wait_until(lambda: _is_parked(outside), description="it is parked again")
    [after] = (await events.page()).events
    assert (after, seen) == (before, [])

    await storage.set_state(key, _Shop.paying)
    await outside.settled()
    assert (seen, await parked(outside)) == (["tea"], 0)


async def test_a_worker_that_takes_over_keeps_what_is_parked_for_its_time(
    settings: Settings, redis_url: str, outside: Outside, conversation: Conversation, redis: Redis
) -> None:
    """The time runs from when it was parked first, whoever works on the partition."""
    seen: list[str] = []
    async with running(Gateway(shop(seen, park(minutes=0.02))), settings, redis_url):
        await outside.send("shop.paid", to=conversation)
        await wait_until(lambda: _is_parked(outside), description="it is parked")
        [first] = (await ParkedEvents(outside.scripts).page()).events
    async with running(Gateway(shop(seen, park(hours=1))), settings, redis_url):
        await outside.settled()

    [letter] = (await DeadLetters(outside.scripts).page()).events
    assert (seen, letter.reason) == ([], "parked")
    assert first.until_ms <= letter.kept_since_ms < first.until_ms + 5_000


async def test_a_parked_event_holds_back_nothing(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """Not even the later events of its own source."""
    seen: list[str] = []
    feature = shop(seen, park(hours=1))

    @feature.on("shop.other")
    async def other(event: OtherEvent) -> None:
        seen.append(event.type)

    await run(feature)
    await outside.send("shop.paid", to=conversation)
    await outside.send("shop.other", to=conversation)
    await wait_until(lambda: seen == ["shop.other"], description="the later one is handled")

    assert await parked(outside) == 1


async def _is_parked(outside: Outside) -> bool:
    return await parked(outside) == 1
