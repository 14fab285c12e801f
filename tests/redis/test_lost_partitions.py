"""What a worker does when another one has a partition that it works on: nothing more."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from redis.asyncio import Redis

from gateway import Director, Feature
from gateway.demo.bot_api import BotApi
from gateway.gateway import Gateway
from gateway.runtime import Runtime, running
from gateway.settings import Settings, WorkerSettings
from routers.event import OtherEvent
from state.conversation import Conversation
from state.wake import Word
from tests.redis.conftest import Outside
from tests.waiting import wait_until

#: No lease ends by itself within a test, however slow the machine is.
LEASE_SECONDS = 120


class Theft:
    """Another worker's doing: it has the lease of a conversation's partition."""

    def __init__(self, redis: Redis, lease: str) -> None:
        self._redis = redis
        self._lease = lease

    async def steal(self, from_: Runtime) -> None:
        """Take the lease, and have its holder look."""
        await self._redis.set(self._lease, "another/1000000", ex=600)
        assert from_.worker is not None
        from_.worker.woken(Word(None))

    async def give_back(self, to: Runtime | None = None) -> None:
        """Leave the lease to whoever looks, *to* at once."""
        await self._redis.delete(self._lease)
        if to is not None:
            assert to.worker is not None
            to.worker.woken(Word(None))


@pytest.fixture
def theft(redis: Redis, outside: Outside, conversation: Conversation) -> Theft:
    """Of the partition of the user."""
    return Theft(redis, outside.keys.lease(outside.keys.partition_of(conversation)))


class Shop:
    """A bot whose first run sends a message and waits until it is ended; its second one goes on."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.sent = False
        self.may_send = asyncio.Event()

    @property
    def gateway(self) -> Gateway:
        """The same for each process."""
        feature = Feature("shop")
        feature.on("shop.order")(self._order)
        return Gateway(feature)

    async def _order(self, event: OtherEvent, director: Director) -> None:
        assert director.bot is not None
        self.begun.append(event.object_id)
        await self.may_send.wait()
        await director.bot.send_message(501, "one moment")
        self.sent = True
        if len(self.begun) == 1:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.ended.append(event.object_id)
                await director.bot.send_message(501, "sorry")
        await director.state.update_data(order=event.object_id)
        await director.bot.send_message(501, "done")


@pytest.fixture
def shop() -> Shop:
    """The bot."""
    return Shop()


Start = Callable[[], AbstractAsyncContextManager[Runtime]]


@pytest.fixture
def start(shop: Shop, settings: Settings, redis: Redis, redis_url: str, chat_limits: None) -> Start:
    """Start a worker of it."""
    del redis, chat_limits
    patient = settings.model_copy(update={"worker": WorkerSettings(lease_seconds=LEASE_SECONDS)})
    return lambda: running(shop.gateway, patient, redis_url)


async def test_a_handler_whose_partition_is_lost_is_cancelled_and_sends_nothing_more(
    shop: Shop, start: Start, theft: Theft, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Though it goes on after that. Whoever has the partition then runs it again, from where it was."""
    shop.may_send.set()
    async with start() as worker:
        await outside.send("shop.order", to=conversation, object_id="tea")
        await wait_until(lambda: shop.sent, description="it has sent", seconds=60)
        await theft.steal(worker)
        await wait_until(lambda: shop.ended == ["tea"], description="it is cancelled", seconds=60)
        await theft.give_back(worker)
        await outside.settled()
        data = await worker.container.storage.get_data(conversation.storage_key())

    assert shop.begun == ["tea", "tea"]
    assert api.chats[501].texts() == ["one moment", "done"]
    assert data == {"order": "tea"}


async def test_what_only_a_lost_handler_knows_is_told_to_the_next(
    shop: Shop,
    start: Start,
    theft: Theft,
    redis: Redis,
    outside: Outside,
    conversation: Conversation,
    api: BotApi,
) -> None:
    """Its message went out while Redis took no writes; another process does not send it again."""
    async with start() as worker:
        await outside.send("shop.order", to=conversation, object_id="tea")
        await wait_until(lambda: shop.begun == ["tea"], description="it runs", seconds=60)
        await redis.replicaof("127.0.0.1", "1")
        try:
            shop.may_send.set()
            await wait_until(lambda: shop.sent, description="it has sent", seconds=60)
        finally:
            await redis.replicaof("NO", "ONE")
        await theft.steal(worker)
        await wait_until(lambda: shop.ended == ["tea"], description="it is cancelled", seconds=60)
    await theft.give_back()
    async with start():
        await outside.settled()

    assert shop.begun == ["tea", "tea"]
    assert api.chats[501].texts() == ["one moment", "done"]
