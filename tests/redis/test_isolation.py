"""One event of a conversation at a time for bots that poll: in order of arrival, over processes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import BaseEventIsolation
from aiogram.types import Chat, Message, Update, User
from redis.asyncio import Redis

from state import ConversationStorage
from state.conversation import Conversation
from state.keys import Keys
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
            # Whoever waits asks three times in that: what these tests see is that it is called.
            isolation = storage.create_isolation(lasts=timedelta(seconds=60))
            opened.push_async_callback(isolation.close)
            made.append(isolation)
        yield made


async def _queued(redis: Redis, count: int) -> None:
    async def reached() -> bool:
        return int(await redis.llen(KEYS.turns(CONVERSATION))) == count

    await wait_until(reached, description=f"{count} hold or wait for a turn", seconds=30)


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

    # One poll of ours would be 20 s.
    assert took < 15
    assert await redis.exists(KEYS.turns(CONVERSATION), KEYS.waiters(CONVERSATION)) == 0


async def test_conversations_do_not_wait_for_each_other(isolations: list[BaseEventIsolation]) -> None:
    """Nor do a topic and the chat that it is in."""
    others = [
        Conversation.private(42, 502).storage_key(),
        Conversation.private(43, 501).storage_key(),
        Conversation(42, 501, 501, thread_id=7).storage_key(),
    ]
    async with asyncio.timeout(15), isolations[0].lock(KEY):
        for other in others:
            async with isolations[1].lock(other):
                pass


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

    async with asyncio.timeout(15):
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

    assert await waiting - given_back < 15


async def test_what_a_handler_raises_ends_its_turn(isolations: list[BaseEventIsolation]) -> None:
    """And comes out as it was; aiogram's lock, once expired, raises in its place."""
    with pytest.raises(LookupError, match="the bot's own"):
        async with isolations[0].lock(KEY):
            raise LookupError("the bot's own")

    async with asyncio.timeout(15), isolations[1].lock(KEY):
        pass


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
