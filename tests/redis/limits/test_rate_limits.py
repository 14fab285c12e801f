"""Telegram's limits, counted for all processes together before Telegram has to say so."""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from pydantic import SecretStr, ValidationError
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway import Gateway
from gateway.demo.bot_api import BotApi
from gateway.rate_limits import RateLimits
from gateway.runtime import running
from gateway.settings import BotSettings, Settings, TelegramSettings
from state.budgets import Budgets, Limit, NotYet, Open
from state.connection import connect
from state.conversation import Conversation
from state.grouping import GroupedCalls
from state.keys import Keys
from state.scripts import Scripts
from tests.redis.conftest import Outside, Run
from tests.redis.limits.conftest import shop, user_chat
from tests.waiting import wait_until


async def test_two_processes_keep_the_limit_of_one_bot_together(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """Each for itself would send 30 in the first second."""
    await run(shop())
    await run(shop())
    users = range(1000, 1060)
    for user in users:
        api.chats.open(user)

    for user in users:
        await outside.send("shop.show", to=user_chat(user), object_id="news")
    await outside.settled()

    assert [api.chats[user].texts() for user in users] == [["news"]] * len(users)
    times = [call.at for call in api.calls.of("sendMessage")]
    assert max(times) - min(times) > 1


async def test_two_processes_that_ask_at_once_are_let_go_thirty_times_a_second(
    redis: Redis, redis_url: str
) -> None:
    """Whichever asks: the turns of both together."""
    del redis  # it empties the store first
    async with AsyncExitStack() as opened:
        limits = []
        for _ in range(2):
            client = await connect(redis_url)
            opened.push_async_callback(client.aclose)
            limits.append(RateLimits(Budgets(Scripts(GroupedCalls(client), Keys())), {42: 30}))
            opened.push_async_callback(limits[-1].close)
        times: list[float] = []

        async def turn(of: RateLimits) -> None:
            await of.turn(42)
            times.append(time.monotonic())

        await asyncio.gather(*(turn(limits[number % 2]) for number in range(80)))

    assert max(sum(start <= at < start + 0.9 for at in times) for start in times) == 30
    assert max(times) - min(times) > 2


async def test_views_that_are_overtaken_use_up_nobodys_budget(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Fifty views of one chat in a row: the newest is there within seconds, not after fifty."""
    await run(shop())
    api.enforce_limits(True)
    began = time.monotonic()

    for number in range(50):
        await outside.send("shop.show", to=conversation, object_id=f"view {number}")
    await outside.settled()

    assert api.chats[501].texts() == ["view 49"]
    assert time.monotonic() - began < 10
    assert len(api.calls) < 10


async def test_whoever_waits_in_a_chat_goes_before_a_broadcast(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Three seconds of news for others are owed already when the user writes."""
    await run(shop())
    users = range(1000, 1090)
    for user in users:
        api.chats.open(user)
        await outside.send("shop.show", to=user_chat(user), object_id="news")
    await wait_until(lambda: len(api.calls) >= 30, description="the broadcast has used up its second")

    await outside.accept(api.updates.message(501, "/hello"))
    await wait_until(lambda: api.chats[501].texts() == ["hello"], description="the user is answered")

    assert len(api.calls) < 75
    await outside.settled()
    assert all(api.chats[user].texts() == ["news"] for user in users)


async def test_a_group_takes_twenty_messages_a_minute(outside: Outside, conversation: Conversation) -> None:
    """A private chat with the same past is open."""
    limits = RateLimits(Budgets(outside.scripts), {42: 30})
    group = Conversation(42, -1005, 501)
    now_ms = int(time.time() * 1000)
    for of_chat in (group, conversation):
        past = [now_ms - 1000 * number for number in range(25, 5, -1)]
        await outside.calls.command("LPUSH", outside.keys.budget(of_chat), *past)
        await outside.calls.command("PEXPIRE", outside.keys.budget(of_chat), 60_000)

    in_group = await limits.open(group, counts=True, block="")
    in_private = await limits.open(conversation, counts=True, block="")

    assert isinstance(in_group, NotYet)
    assert timedelta(seconds=30) < in_group.wait < timedelta(seconds=37)
    assert in_private == Open(quiet=False, shown=None)


async def test_a_chat_takes_a_short_burst_and_then_one_a_second(
    outside: Outside, conversation: Conversation
) -> None:
    """What does not count as a message is not held up by it."""
    limits = RateLimits(Budgets(outside.scripts), {42: 30})

    burst = [await limits.open(conversation, counts=True, block="") for _ in range(5)]
    sixth = await limits.open(conversation, counts=True, block="")
    other = await limits.open(conversation, counts=False, block="")

    assert [isinstance(each, Open) and each.quiet for each in burst] == [True, False, False, False, False]
    assert isinstance(sixth, NotYet)
    assert timedelta(0) < sixth.wait < timedelta(seconds=4)
    assert isinstance(other, Open)


async def test_a_bots_budget_is_granted_in_blocks_up_to_its_limit(outside: Outside) -> None:
    """Whoever asks next is told how long to wait."""
    budgets, limits = Budgets(outside.scripts), [Limit(30, timedelta(seconds=10))]

    first = await budgets.grant(42, 20, limits)
    second = await budgets.grant(42, 20, limits)
    another_bot = await budgets.grant(43, 20, limits)

    assert (first.count, second.count, another_bot.count) == (20, 10, 20)
    assert timedelta(seconds=8) < second.wait <= timedelta(seconds=10)


async def test_a_clock_that_was_set_back_holds_nobody_up(
    outside: Outside, conversation: Conversation
) -> None:
    """Times in the future, after Redis's clock jumped back, are forgotten."""
    budgets, limits = Budgets(outside.scripts), [Limit(1, timedelta(seconds=1))]
    later = int(time.time() * 1000) + 600_000
    for key in (outside.keys.bot_budget(42), outside.keys.budget(conversation)):
        await outside.calls.command("LPUSH", key, later)
        await outside.calls.command("PEXPIRE", key, 600_000)
    await outside.calls.command("SET", outside.keys.bot_pause(42), 1000, "PX", 600_000)

    assert (await budgets.grant(42, 1, limits)).count == 1
    assert isinstance(await budgets.open(conversation, limits, counts=True, block=""), Open)


async def test_whoever_pays_for_a_broadcast_says_so_in_each_message(
    settings: Settings, redis_url: str, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """`allow_paid_broadcast` goes with what is sent, and lifts the limit that a setting may have."""
    (bot,) = settings.telegram.bots.values()
    bots = {"main": bot.model_copy(update={"sends_per_second": 1000, "allow_paid_broadcast": True})}
    paying = settings.model_copy(update={"telegram": TelegramSettings(bots=bots)})

    async with running(Gateway(shop()), paying, redis_url):
        await outside.send("shop.show", to=conversation, object_id="paid")
        await outside.settled()

    (call,) = api.calls.of("sendMessage")
    assert call.parameters["allow_paid_broadcast"] == "true"
    with pytest.raises(ValidationError, match="costs Stars"):
        BotSettings(token=SecretStr("42:x"), secret_token=SecretStr("s"), sends_per_second=31)


async def test_whoever_waits_alone_learns_that_the_budget_cannot_be_read(
    outside: Outside, redis: Redis
) -> None:
    """And may try again: nobody else may ever come and ask."""
    limits = RateLimits(Budgets(outside.scripts), {42: 30})
    await redis.set(outside.keys.bot_budget(42), "not a list", ex=60)
    async with asyncio.timeout(5):
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await limits.turn(42)

        await redis.delete(outside.keys.bot_budget(42))
        await limits.turn(42)
