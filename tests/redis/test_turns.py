"""A turn lasts as long as its handler; once it is over, what a late holder still writes is refused."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from aiogram.fsm.context import FSMContext
from redis.asyncio import Redis

from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation
from state.errors import TurnLost
from state.grouping import GroupedCalls
from state.keys import Keys
from state.turns import Turns
from tests.waiting import wait_until

CONVERSATION = Conversation.private(42, 501)
KEY = CONVERSATION.storage_key()
KEYS = Keys()
SOON = timedelta(milliseconds=300)


async def _until(redis: Redis) -> float:
    """Until when the turn lasts that somebody has, ms."""
    holder = await redis.lindex(KEYS.turns(CONVERSATION), 0)
    assert holder is not None
    score = await redis.zscore(KEYS.waiters(CONVERSATION), holder)
    assert score is not None
    return float(score)


async def test_a_turn_lasts_as_long_as_its_handler(redis: Redis, redis_url: str) -> None:
    """aiogram's lock ends after 60 s whatever runs under it, and then several handlers run at once."""
    storage = ConversationStorage.from_url(redis_url)
    isolation = storage.create_isolation(lasts=timedelta(seconds=2))
    entered: list[str] = []

    async def second() -> None:
        async with isolation.lock(KEY):
            entered.append("second")

    async with asyncio.TaskGroup() as group, isolation.lock(KEY):
        given = await _until(redis)
        group.create_task(second())

        async def renewed_twice() -> bool:
            return await _until(redis) > given + 2000

        await wait_until(renewed_twice, description="the turn outlives the time it was given", seconds=60)
        assert entered == []
        await FSMContext(storage, KEY).update_data(writer="first")

    assert entered == ["second"]
    await isolation.close()
    await storage.close()


def _stand_still(url: str, holds: threading.Event, goes_on: threading.Event) -> str:
    """Take a turn, stand still with the whole event loop until told to go on, and say what writing does."""

    async def handle() -> str:
        storage = ConversationStorage.from_url(url)
        isolation = storage.create_isolation(lasts=SOON)
        try:
            async with isolation.lock(KEY):
                holds.set()
                goes_on.wait(timeout=50)
                await FSMContext(storage, KEY).update_data(writer="late")
                return "wrote"
        except TurnLost:
            return "refused"
        finally:
            await isolation.close()
            await storage.close()

    return asyncio.run(handle())


async def test_a_holder_that_stood_still_is_fenced(redis: Redis, redis_url: str) -> None:
    """
    Another goes on after the turn's time, and the late one writes nothing.

    aiogram's late handler writes over what the next one has done, and then fails with LockNotOwnedError.
    """
    storage = ConversationStorage(redis)
    isolation = storage.create_isolation(lasts=timedelta(seconds=3))
    state = FSMContext(storage, KEY)
    holds, goes_on = threading.Event(), threading.Event()
    late = asyncio.create_task(asyncio.to_thread(_stand_still, redis_url, holds, goes_on))
    try:
        await wait_until(holds.is_set, description="the other one has the turn", seconds=50)
        async with asyncio.timeout(50), isolation.lock(KEY):
            await state.update_data(writer="next")
            goes_on.set()
            assert await late == "refused"
    finally:
        goes_on.set()
        await isolation.close()

    assert await state.get_data() == {"writer": "next"}


async def test_a_holder_that_was_killed_blocks_the_others_for_its_turn_only(redis: Redis) -> None:
    """Nobody renews it and nobody has to clean up after it."""
    assert await Turns(GroupedCalls(redis), KEYS).enter(CONVERSATION, "killed/ticket", 300)
    isolation = ConversationStorage(redis).create_isolation(lasts=SOON)

    async with asyncio.timeout(50), isolation.lock(KEY):
        pass
    await isolation.close()


@pytest.mark.parametrize("write", ["set_state", "set_data", "update_data", "clear", "draft"])
async def test_every_write_under_a_lost_turn_is_refused(redis: Redis, write: str) -> None:
    """Whichever method makes it; a write outside of any turn is not."""
    storage = ConversationStorage(redis)
    isolation = storage.create_isolation()
    state = FSMContext(storage, KEY)
    await state.set_state("Shop:paying")
    await state.update_data(item=7)
    writes: dict[str, Callable[[], Awaitable[object]]] = {
        "set_state": lambda: state.set_state("Shop:paid"),
        "set_data": lambda: state.set_data({}),
        "update_data": lambda: state.update_data(item=8),
        "clear": state.clear,
        "draft": lambda: BaseStateManager(state, "shop").increment("count"),
    }

    async with isolation.lock(KEY):
        await redis.lset(KEYS.turns(CONVERSATION), 0, "another/ticket")
        with pytest.raises(TurnLost, match=CONVERSATION.encode()):
            await writes[write]()

    assert (await state.get_state(), await state.get_data()) == ("Shop:paying", {"item": 7})
    await redis.delete(KEYS.turns(CONVERSATION), KEYS.waiters(CONVERSATION))
    await state.clear()
