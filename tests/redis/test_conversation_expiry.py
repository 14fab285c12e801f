"""How long a conversation lives: since its last use, with all that is kept beside it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from redis.asyncio import Redis

from gateway import Director, Feature, View
from routers.event import OtherEvent
from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run

MINUTE_MS, DAY_MS = 60_000, 86_400_000


class Shop(StatesGroup):
    """The states of these tests' bot."""

    paying = State()


async def test_an_event_that_changes_nothing_prolongs_the_conversation_all_the_same(
    run: Run, outside: Outside, conversation: Conversation, redis: Redis
) -> None:
    """With its garbage, its history and its place in the states' index: the user is still there."""
    shop = Feature("shop", states=Shop, garbage=[Shop.paying])

    @shop.on("order.begun")
    async def begun(event: OtherEvent, director: Director) -> View:
        await director.state.set_state(Shop.paying)
        return View(content="Pay, please")

    @shop.on("order.looked.at")
    async def looked_at(event: OtherEvent, director: Director) -> None:
        assert await director.state.get_state() == "Shop:paying"

    await run(shop)
    await outside.send("order.begun", to=conversation)
    await outside.settled()
    keys = outside.keys
    kept = [keys.conversation(conversation), keys.garbage(conversation), keys.history(conversation)]
    until = keys.states_until(keys.partition_of(conversation))
    [member] = await outside.calls.command("ZRANGE", until, 0, -1)
    for key in kept:
        assert await redis.pexpire(key, MINUTE_MS)
    now = (await redis.time())[0] * 1000
    await outside.calls.command("ZADD", until, now + MINUTE_MS, member)

    await outside.send("order.looked.at", to=conversation)
    await outside.settled()

    assert [await redis.pttl(key) > DAY_MS for key in kept] == [True, True, True]
    assert float(await outside.calls.command("ZSCORE", until, member)) > now + DAY_MS


@pytest.mark.parametrize("write", ["set_state", "update_data", "update", "clear of a draft"])
async def test_every_write_from_outside_of_a_handler_prolongs_it(redis: Redis, write: str) -> None:
    """For as long as the setting says."""
    conversation = Conversation.private(42, 501)
    storage = ConversationStorage(redis, expires_after=timedelta(days=3))
    state = FSMContext(storage, conversation.storage_key())
    manager = BaseStateManager(state, "shop")
    writes: dict[str, Callable[[], Awaitable[object]]] = {
        "set_state": lambda: state.set_state("Shop:paid"),
        "update_data": lambda: state.update_data(locale="de"),
        "update": lambda: manager.update(item=7),
        "clear of a draft": manager.clear,
    }
    await state.set_state("Shop:paying")
    key = Outside(redis).keys.conversation(conversation)
    assert await redis.pexpire(key, MINUTE_MS)

    await writes[write]()

    assert 2 * DAY_MS < await redis.pttl(key) <= 3 * DAY_MS
