"""G10 on a Redis Cluster: a bot works on it as on one server, and slots that move lose nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.crc import key_slot

from gateway import Director, Feature, Gateway, View
from gateway.demo.bot_api import BotApi
from gateway.runtime import running
from gateway.settings import RedisSettings, Settings, StreamSettings, WorkerSettings
from routers.event import OtherEvent
from routers.events.event import ServiceEvent
from state.connection import connect
from state.conversation import Conversation
from state.envelope import Envelope
from state.errors import StoreUnavailable
from state.grouping import GroupedCalls
from state.inbox import Disposition, Inbox
from state.keys import Keys
from state.scripts import Scripts
from state.service_stream import Lag, ServiceStream
from tests.failover import SixNodes
from tests.redis.conftest import Outside
from tests.waiting import wait_until

HOUR = timedelta(hours=1)
#: Leases that no busy machine loses.
PATIENT = WorkerSettings(lease_seconds=30)
USERS = [Conversation.private(42, 500 + number) for number in range(30)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(
    tmp_path_factory: pytest.TempPathFactory, redis_binary: Path | None
) -> AsyncIterator[SixNodes]:
    """One Cluster for all tests of this file."""
    async with SixNodes(tmp_path_factory.mktemp("cluster"), redis_binary) as cluster:
        yield cluster


def _inbox(redis: Redis) -> Inbox:
    return Inbox(Scripts(GroupedCalls(redis), Keys()))


def _envelope(key: str, conversation: Conversation) -> Envelope:
    return Envelope("service", "thing.happened", key, 0, b"{}", conversation=conversation)


async def _insist(inbox: Inbox, key: str, conversation: Conversation) -> None:
    """Send one event until it is acknowledged, as a provider does."""
    while True:
        try:
            await inbox.accept(_envelope(key, conversation), remember_for=HOUR)
        except StoreUnavailable:
            await asyncio.sleep(0.05)
        else:
            return


async def _kept(redis: Redis) -> list[str]:
    inbox, keys = _inbox(redis), Keys()
    numbers = {keys.partition_of(user) for user in USERS}
    pages = await asyncio.gather(*(inbox.read(number, after="0", count=10_000) for number in numbers))
    return sorted(entry.envelope.idempotency_key for page in pages for entry in page)


async def test_a_bot_works_on_a_cluster_as_on_one_server(
    cluster: SixNodes, settings: Settings, api: BotApi
) -> None:
    """Accepted, handled, committed and delivered; each group of calls is parted among the nodes."""
    feature = Feature("shop")

    @feature.on("shop.order")
    async def order(event: OtherEvent, director: Director) -> View:
        await director.state.update_data(order=event.object_id)
        return View(content=f"Order {event.object_id}")

    users = [Conversation.private(api.account.id, 600 + number) for number in range(4)]
    for user in users:
        api.chats.open(user.chat_id)
    on_cluster = settings.model_copy(
        update={"redis": RedisSettings(url=SecretStr(cluster.url)), "worker": PATIENT}
    )
    async with (
        running(Gateway(feature), on_cluster, cluster.url) as runtime,
        await connect(cluster.url) as redis,
    ):
        outside = Outside(redis)
        for user in users:
            await outside.send("shop.order", to=user, object_id=str(user.user_id))
        await outside.settled()
        kept = [await runtime.container.storage.get_data(user.storage_key()) for user in users]

    assert kept == [{"order": str(user.user_id)} for user in users]
    assert [api.chats[user.chat_id].texts() for user in users] == [
        [f"Order {user.user_id}"] for user in users
    ]


async def test_slots_that_move_while_events_come_lose_none(cluster: SixNodes) -> None:
    """ASK, MOVED and TRYAGAIN are followed; each event is kept once, wherever its slot is by then."""
    async with await connect(cluster.url) as redis:
        inbox, keys = _inbox(redis), Keys()
        before = set(await _kept(redis))
        sent = [(f"moving-{number}", USERS[number % len(USERS)]) for number in range(300)]

        async def send_all() -> None:
            for key, user in sent:
                await _insist(inbox, key, user)

        sending = asyncio.create_task(send_all())
        for number in sorted({keys.partition_of(user) for user in USERS})[:4]:
            slot = key_slot(keys.inbox(number).encode())
            await cluster.move_slot(slot)
        await sending

        assert sorted(set(await _kept(redis)) - before) == sorted(key for key, _ in sent)
        again = [await inbox.accept(_envelope(key, user), remember_for=HOUR) for key, user in sent]
    assert set(again) == {Disposition.DUPLICATE}


@pytest.mark.parametrize("key", ["bot_events", "{shop}:events"])
async def test_a_services_stream_in_a_cluster_is_read_wherever_its_slot_is(
    cluster: SixNodes, settings: Settings, api: BotApi, key: str
) -> None:
    """Its reader's keys lie in its slot, which the key's own hash tag decides; a moved one is followed."""
    feature, heard = Feature("shop"), []

    @feature.on("shop.step")
    async def step(event: ServiceEvent) -> None:
        heard.append(event.payload["number"])

    user = Conversation.private(api.account.id, 501)
    on_cluster = settings.model_copy(
        update={
            "redis": RedisSettings(url=SecretStr(cluster.url)),
            "worker": PATIENT,
            "streams": {"shop": StreamSettings(key=key)},
        }
    )
    async with await connect(cluster.url) as redis:
        outside = Outside(redis)

        async def write(number: int) -> None:
            fields = ("type", "shop.step", "user_id", user.user_id, "number", number)
            await outside.calls.command("XADD", key, "*", *fields)

        async with running(Gateway(feature), on_cluster, cluster.url):
            await write(1)
            await wait_until(lambda: heard == ["1"], description="the first entry came")
            await cluster.move_slot(key_slot(key.encode()))
            await write(2)
            await wait_until(lambda: heard == ["1", "2"], description="the second entry came", seconds=20)
            await outside.settled()

        stream = ServiceStream(
            redis, key=key, group="fsm-gateway", reader="", lease=HOUR, start="0", prefix="gw"
        )
        await write(3)
        assert await stream.lag() == Lag(1, 0)
        await outside.calls.command("DEL", key)
