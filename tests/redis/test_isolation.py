"""One event of a conversation at a time for bots that poll: in order, renewed, fenced, over processes."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import BaseEventIsolation
from aiogram.types import Chat, Message, Update, User
from redis.asyncio import Redis

from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation
from state.errors import TurnLost
from state.grouping import GroupedCalls
from state.keys import Keys
from state.turns import Turns
from tests.redis.conftest import Outside
from tests.waiting import wait_until

CONVERSATION = Conversation.private(42, 501)
KEY = CONVERSATION.storage_key()
KEYS = Keys()


@pytest.fixture
async def isolations(redis: Redis, redis_url: str) -> AsyncIterator[list[BaseEventIsolation]]:
    """Two of them, with a connection each, as two processes have."""
    del redis  # it empties the store first
    async with AsyncExitStack() as opened:
        made: list[BaseEventIsolation] = []
        for _ in range(2):
            storage = ConversationStorage.from_url(redis_url)
            opened.push_async_callback(storage.close)
            isolation = storage.create_isolation(lasts=timedelta(seconds=3))
            opened.push_async_callback(isolation.close)
            made.append(isolation)
        yield made


async def _queued(redis: Redis, count: int) -> None:
    async def reached() -> bool:
        return int(await redis.llen(KEYS.turns(CONVERSATION))) == count

    await wait_until(reached, description=f"{count} hold or wait for a turn")


async def _until(redis: Redis) -> float:
    """Until when the turn lasts that somebody has, ms."""
    holder = await redis.lindex(KEYS.turns(CONVERSATION), 0)
    assert holder is not None
    score = await redis.zscore(KEYS.waiters(CONVERSATION), holder)
    assert score is not None
    return float(score)


async def test_turns_are_given_in_the_order_of_arrival(
    redis: Redis, isolations: list[BaseEventIsolation]
) -> None:
    """aiogram's waiters poll, and whoever asks at the right moment is next; here over two processes too."""
    order: list[int] = []
    working = 0

    async def handle(number: int) -> None:
        nonlocal working
        async with isolations[number % 2].lock(KEY):
            working += 1
            assert working == 1
            order.append(number)
            await asyncio.sleep(0)
            working -= 1

    async with asyncio.TaskGroup() as group, isolations[0].lock(KEY):
        for number in range(10):
            group.create_task(handle(number))
            await _queued(redis, number + 2)

    assert order == list(range(10))


async def test_ten_waiters_do_not_wait_for_a_poll(redis: Redis, isolations: list[BaseEventIsolation]) -> None:
    """aiogram's take 0.92 s for ten empty handlers; here each is called when its turn comes."""
    began = 0.0

    async def handle(number: int) -> None:
        async with isolations[number % 2].lock(KEY):
            pass

    async with asyncio.TaskGroup() as group, isolations[0].lock(KEY):
        for number in range(10):
            group.create_task(handle(number))
        await _queued(redis, 11)
        began = time.monotonic()
    took = time.monotonic() - began

    assert took < 0.9
    assert await redis.exists(KEYS.turns(CONVERSATION), KEYS.waiters(CONVERSATION)) == 0


async def test_conversations_do_not_wait_for_each_other(isolations: list[BaseEventIsolation]) -> None:
    """Nor do a topic and the chat that it is in."""
    others = [
        Conversation.private(42, 502).storage_key(),
        Conversation.private(43, 501).storage_key(),
        Conversation(42, 501, 501, thread_id=7).storage_key(),
    ]
    async with asyncio.timeout(2), isolations[0].lock(KEY):
        for other in others:
            async with isolations[1].lock(other):
                pass


async def test_a_turn_lasts_as_long_as_its_handler(redis: Redis, redis_url: str) -> None:
    """aiogram's lock ends after 60 s whatever runs under it, and then several handlers run at once."""
    storage = ConversationStorage.from_url(redis_url)
    isolation = storage.create_isolation(lasts=timedelta(milliseconds=200))
    entered: list[str] = []

    async def second() -> None:
        async with isolation.lock(KEY):
            entered.append("second")

    async with asyncio.TaskGroup() as group, isolation.lock(KEY):
        given = await _until(redis)
        group.create_task(second())

        async def renewed_twice() -> bool:
            return await _until(redis) > given + 200

        await wait_until(renewed_twice, description="the turn outlives the time that it was given")
        assert entered == []
        await FSMContext(storage, KEY).update_data(writer="first")

    assert entered == ["second"]
    await isolation.close()
    await storage.close()


def _stand_still(url: str, holds: threading.Event, goes_on: threading.Event) -> str:
    """Take a turn, stand still with the whole event loop until told to go on, and say what writing does."""

    async def handle() -> str:
        storage = ConversationStorage.from_url(url)
        isolation = storage.create_isolation(lasts=timedelta(milliseconds=300))
        try:
            async with isolation.lock(KEY):
                holds.set()
                goes_on.wait(timeout=20)
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
    isolation = storage.create_isolation(lasts=timedelta(milliseconds=300))
    state = FSMContext(storage, KEY)
    holds, goes_on = threading.Event(), threading.Event()
    late = asyncio.create_task(asyncio.to_thread(_stand_still, redis_url, holds, goes_on))
    try:
        await wait_until(holds.is_set, description="the other one has the turn")
        async with asyncio.timeout(10), isolation.lock(KEY):
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
    isolation = ConversationStorage(redis).create_isolation(lasts=timedelta(milliseconds=300))

    async with asyncio.timeout(5), isolation.lock(KEY):
        pass
    await isolation.close()


async def test_a_waiter_that_is_cancelled_leaves_the_queue(
    redis: Redis, isolations: list[BaseEventIsolation]
) -> None:
    """Whoever stands behind it is not held up."""

    async def wait(isolation: BaseEventIsolation) -> None:
        async with isolation.lock(KEY):
            pass

    async with isolations[0].lock(KEY):
        cancelled = asyncio.create_task(wait(isolations[1]))
        await _queued(redis, 2)
        behind = asyncio.create_task(wait(isolations[1]))
        await _queued(redis, 3)
        cancelled.cancel()
        await _queued(redis, 2)

    async with asyncio.timeout(1):
        await behind


async def test_turns_are_heard_of_again_after_the_connection_was_cut(
    redis: Redis, isolations: list[BaseEventIsolation]
) -> None:
    """The channel is opened anew; until then a waiter finds its turn by asking."""

    cut = b""

    async def listening() -> bool:
        clients = bytes(await Outside(redis).calls.command("CLIENT", "LIST", "TYPE", "pubsub"))
        return b"sub=1" in clients and clients.split()[0] != cut

    async def wait() -> float:
        async with isolations[1].lock(KEY):
            return time.monotonic()

    async with isolations[0].lock(KEY):
        waiting = asyncio.create_task(wait())
        await wait_until(listening, description="the waiter listens")
        cut = bytes(await Outside(redis).calls.command("CLIENT", "LIST", "TYPE", "pubsub")).split()[0]
        await Outside(redis).calls.command("CLIENT", "KILL", "TYPE", "pubsub")
        await wait_until(listening, description="the waiter listens again")
        given_back = time.monotonic()

    assert await waiting - given_back < 0.9


async def test_what_a_handler_raises_ends_its_turn(isolations: list[BaseEventIsolation]) -> None:
    """And comes out as it was; aiogram's lock, once expired, raises in its place."""
    with pytest.raises(LookupError, match="the bot's own"):
        async with isolations[0].lock(KEY):
            raise LookupError("the bot's own")

    async with asyncio.timeout(1), isolations[1].lock(KEY):
        pass


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


async def test_a_dispatcher_handles_one_users_updates_one_at_a_time(redis: Redis) -> None:
    """What a handler reads is what the one before it has written, though it reads, waits and writes."""
    storage = ConversationStorage(redis)
    router = Router()

    @router.message()
    async def counted(message: Message, state: FSMContext) -> None:
        count = await state.get_value("count", 0)
        await asyncio.sleep(0)
        await state.update_data(count=count + 1)

    dispatcher = Dispatcher(storage=storage, events_isolation=storage.create_isolation())
    dispatcher.include_router(router)
    async with Bot(f"{CONVERSATION.bot_id}:token") as bot:
        updates = [
            Update(
                update_id=number,
                message=Message(
                    message_id=number,
                    date=datetime.now(UTC),
                    chat=Chat(id=501, type="private"),
                    from_user=User(id=501, is_bot=False, first_name="Ada"),
                    text="one more",
                ),
            )
            for number in range(1, 11)
        ]
        await asyncio.gather(*(dispatcher.feed_update(bot, update) for update in updates))
    await dispatcher.fsm.events_isolation.close()

    assert await FSMContext(storage, KEY).get_value("count") == 10
