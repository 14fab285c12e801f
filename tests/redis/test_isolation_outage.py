"""Redis goes away while somebody has a turn: nobody hangs, and two never work at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import BaseEventIsolation
from redis.asyncio import Redis

from gateway.embedded import EmbeddedRedis
from state import ConversationStorage, isolation
from state.connection import connect
from state.conversation import Conversation
from state.errors import StoreUnavailable, TurnLost
from state.keys import Keys
from tests.waiting import wait_until

CONVERSATION = Conversation.private(42, 501)
KEY = CONVERSATION.storage_key()

pytestmark = pytest.mark.timeout(180)


class Bot:
    """One process of a polling bot, as far as turns go."""

    def __init__(self, storage: ConversationStorage, turns: BaseEventIsolation) -> None:
        self.state = FSMContext(storage, KEY)
        self.turns = turns

    async def count(self) -> None:
        """Add one, as a handler does that reads first and writes later."""
        async with self.turns.lock(KEY):
            await self.state.update_data(count=await self.state.get_value("count", 0) + 1)


@pytest.fixture
async def server(tmp_path: Path, redis_binary: Path | None) -> AsyncIterator[EmbeddedRedis]:
    """A Redis to stop, which keeps on disk what it has acknowledged."""
    extra = {"appendfsync": "always"}
    async with EmbeddedRedis(
        tmp_path / "redis", binary=redis_binary, extra=extra, supervised=False
    ) as server:
        yield server


@pytest.fixture
async def bots(server: EmbeddedRedis) -> AsyncIterator[list[Bot]]:
    """Two processes, whose turns last a second unless renewed."""
    async with AsyncExitStack() as opened:
        made = []
        for _ in range(2):
            storage = ConversationStorage.from_url(server.url)
            opened.push_async_callback(storage.close)
            turns = storage.create_isolation(lasts=timedelta(seconds=1))
            opened.push_async_callback(turns.close)
            made.append(Bot(storage, turns))
        yield made


async def _queued(redis: Redis, count: int) -> None:
    async def reached() -> bool:
        return int(await redis.llen(Keys().turns(CONVERSATION))) == count

    await wait_until(reached, description=f"{count} hold or wait for a turn", seconds=30)


async def test_who_waits_gets_its_turn_though_the_holder_could_not_give_it_back(
    server: EmbeddedRedis, bots: list[Bot]
) -> None:
    """The holder's write is refused, and its end does not hang; the turn ends by itself."""
    holder, waiter = bots
    async with await connect(server.url) as redis, asyncio.timeout(120):
        async with holder.turns.lock(KEY):
            waiting = asyncio.create_task(waiter.count())
            await _queued(redis, 2)
            await server.kill()
            with pytest.raises(StoreUnavailable):
                await holder.state.update_data(count=100)
        assert not waiting.done()
        await server.restart()
        await waiting

    assert await waiter.state.get_data() == {"count": 1}


async def test_a_holder_that_works_through_the_outage_writes_before_the_next_or_not_at_all(
    server: EmbeddedRedis, bots: list[Bot]
) -> None:
    """If it was heard of in time; what it has read is never written over what the next one has."""
    holder, waiter = bots
    written = 1
    async with await connect(server.url) as redis, asyncio.timeout(120):
        async with holder.turns.lock(KEY):
            count = await holder.state.get_value("count", 0)
            waiting = asyncio.create_task(waiter.count())
            await _queued(redis, 2)
            await server.kill()
            await server.restart()
            try:
                await holder.state.update_data(count=count + 1)
            except TurnLost:
                written = 0
        await waiting

    assert await waiter.state.get_data() == {"count": written + 1}


async def test_who_waits_through_a_long_outage_is_told(
    server: EmbeddedRedis, bots: list[Bot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than waiting for ever for a Redis that does not come back."""
    monkeypatch.setattr(isolation, "OUTAGE", timedelta(0))
    holder, waiter = bots
    async with await connect(server.url) as redis, asyncio.timeout(120):
        async with holder.turns.lock(KEY):
            waiting = asyncio.create_task(waiter.count())
            await _queued(redis, 2)
            await server.kill()
            with pytest.raises(StoreUnavailable):
                await waiting
        await server.restart()
