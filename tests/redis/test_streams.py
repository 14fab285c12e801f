"""The door for services that write to a Redis stream: once, in order, never stuck, never lost."""

from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from gateway import Director, Feature, Gateway, Orchestrator, View
from gateway.demo.bot_api import BotApi
from gateway.embedded import EmbeddedRedis
from gateway.metrics import Metrics
from gateway.runtime import running
from gateway.settings import Settings, StreamSettings
from routers.events.event import ServiceEvent
from routers.payments.events import PaymentSucceeded
from state.connection import connect
from state.conversation import Conversation
from state.pressure import Pressure
from state.service_stream import ServiceStream
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until

STREAM = "bot_events"
Write = Callable[..., Coroutine[Any, Any, bytes | str]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The bot's, with a stream of a shop's."""
    return settings.model_copy(update={"streams": {STREAM: StreamSettings(id_field="event_id")}})


@pytest.fixture
async def write(redis: Redis, conversation: Conversation) -> AsyncIterator[Write]:
    """What the shop does; its stream is its own to remove."""

    async def write(number: int, **fields: str | int) -> bytes | str:
        entry: dict[Any, Any] = {
            "type": "shop.step",
            "user_id": conversation.user_id,
            "number": number,
            **fields,
        }
        return await redis.xadd(STREAM, entry)

    yield write
    await redis.delete(STREAM)


class _Thanks(Orchestrator):
    expected_state = "Shop:thanked"

    async def render_content(self, payload: Any, director: Director) -> str:
        del director
        return f"Thank you, {payload['name']}"


@pytest.fixture
def run(write: Write, run: Run) -> Run:
    """The bot stops before its stream is removed."""
    del write
    return run


def _shop(heard: list[str]) -> Feature:
    feature = Feature("shop")

    @feature.on("shop.step")
    async def step(event: ServiceEvent, director: Director) -> View:
        heard.append(str(event.payload["number"]))
        await director.state.update_data(last=event.payload["number"])
        return View(content=f"Step {event.payload['number']}")

    return feature


async def _heard(heard: list[str], expected: list[str]) -> None:
    await wait_until(lambda: heard == expected, description=f"{expected} came")


async def _finished(redis: Redis) -> bool:
    return bool((await redis.xinfo_groups(STREAM))[0]["pending"] == 0)


def _reading(redis: Redis, reader: str, lease: timedelta = timedelta(seconds=1)) -> ServiceStream:
    return ServiceStream(
        redis, key=STREAM, group="fsm-gateway", reader=reader, lease=lease, start="0", prefix="gw"
    )


async def test_an_entry_changes_state_and_screen_like_any_other_call(
    run: Run, write: Write, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """A handler gets the event and a live state, and cannot tell which door it came through."""
    heard: list[str] = []
    runtime = await run(_shop(heard))

    await write(1)
    await _heard(heard, ["1"])
    await outside.settled()

    assert await runtime.container.storage.get_data(conversation.storage_key()) == {"last": "1"}
    assert api.chats[501].texts() == ["Step 1"]


async def test_what_was_written_before_the_gateway_came_is_read(run: Run, write: Write) -> None:
    """The group begins with the oldest entry unless told otherwise."""
    heard: list[str] = []
    for number in (1, 2, 3):
        await write(number)

    await run(_shop(heard))

    await _heard(heard, ["1", "2", "3"])


async def test_an_entry_written_twice_under_one_id_happens_once(
    run: Run, write: Write, outside: Outside
) -> None:
    """The field that the settings name is the idempotency key."""
    heard: list[str] = []
    await run(_shop(heard))

    await write(1, event_id="order-1")
    await write(1, event_id="order-1")
    await write(2, event_id="order-2")
    await _heard(heard, ["1", "2"])
    await outside.settled()

    assert heard == ["1", "2"]


async def test_entries_of_one_user_keep_their_order(run: Run, write: Write) -> None:
    """A burst is read in batches, by two gateways of which one reads at a time."""
    heard: list[str] = []
    await run(_shop(heard))
    await run(_shop(heard))
    expected = [str(number) for number in range(150)]

    for number in expected:
        await write(int(number))

    # On a slow machine a lease may end in the middle of a handler, which then runs again.
    await wait_until(
        lambda: list(dict.fromkeys(heard)) == expected, description="all came in order", seconds=30
    )


async def test_an_unreadable_entry_becomes_a_dead_letter_and_stops_nobody(
    run: Run, write: Write, redis: Redis, outside: Outside
) -> None:
    """No group gets stuck on it; whoever wrote it can look at it, and no value of it is in the reason."""
    heard: list[str] = []
    await run(_shop(heard))

    await redis.xadd(STREAM, {"type": "shop.step", "user_id": "nobody"})
    await redis.xadd(STREAM, {b"\xff": b"\xff"})
    await write(1)
    await _heard(heard, ["1"])

    keys = outside.keys
    dead: list[Any] = [entry for number in range(64) for entry in await redis.xrange(keys.dead(number)) or ()]
    reasons = b"".join(fields[b"why"] for _, fields in dead)
    assert len(dead) == 2
    assert b"/meta/user_id" in reasons
    assert b"nobody" not in reasons
    await wait_until(lambda: _finished(redis), description="nothing is left unfinished")


async def test_a_group_that_is_gone_is_made_again_where_it_was(
    run: Run, write: Write, redis: Redis, outside: Outside
) -> None:
    """Somebody removed it; what the inbox had is not told again, what came meanwhile is."""
    heard: list[str] = []
    await run(_shop(heard))
    await write(1)
    await _heard(heard, ["1"])

    await redis.xgroup_destroy(STREAM, "fsm-gateway")
    await write(2)
    await _heard(heard, ["1", "2"])
    await outside.settled()

    assert heard == ["1", "2"]


async def test_what_a_dead_reader_had_read_is_read_again(run: Run, write: Write, redis: Redis) -> None:
    """It died between reading and telling the inbox; the next one begins with what it left."""
    heard: list[str] = []
    await write(1)
    dead = _reading(redis, "dead", timedelta(seconds=0.2))
    batch = await dead.read(10, unfinished=False)
    assert batch is not None
    assert len(batch.entries) == 1

    await run(_shop(heard))

    await _heard(heard, ["1"])


async def test_only_one_process_reads_at_a_time(redis: Redis, write: Write) -> None:
    """The other gets nothing until the first has gone, so nobody overtakes."""
    await write(1)
    first, second = _reading(redis, "first"), _reading(redis, "second")

    assert await first.read(10, unfinished=False) is not None
    assert await second.read(10, unfinished=True) is None
    await second.release()
    assert await second.read(10, unfinished=True) is None
    await first.release()
    batch = await second.read(10, unfinished=True)

    assert batch is not None
    assert [entry.fields[b"number"] for entry in batch.entries if entry.fields] == [b"1"]
    await second.release()


async def test_the_lag_is_told(redis: Redis, write: Write, outside: Outside) -> None:
    """What is unread, and what was read and not finished; on the page for Prometheus too."""
    pressure = Pressure(outside.scripts, oldest=timedelta(hours=1))
    await pressure.measure()
    stream = _reading(redis, "reader")
    for number in range(3):
        await write(number)
    batch = await stream.read(1, unfinished=False)
    assert batch is not None

    behind = await stream.lag()
    page = await Metrics(outside.scripts.counts, pressure, {"shop": stream}).text()
    await stream.finish([batch.entries[0].id])

    assert (behind.unread, behind.unfinished) == (2, 1)
    assert b'gateway_stream_unread{stream="shop"} 2.0' in page
    assert b'gateway_stream_unfinished{stream="shop"} 1.0' in page
    assert (await stream.lag()).unfinished == 0
    await stream.release()


async def test_an_entry_removed_before_it_was_read_holds_nothing_up(
    run: Run, write: Write, redis: Redis
) -> None:
    """Redis still lists it among the unfinished ones, without its fields."""
    heard: list[str] = []
    gone = await write(1)
    await write(2)
    dead = _reading(redis, "dead", timedelta(seconds=0.2))
    await dead.read(10, unfinished=False)
    await redis.xdel(STREAM, gone)

    await run(_shop(heard))

    await _heard(heard, ["2"])
    await wait_until(lambda: _finished(redis), description="nothing is left unfinished")


async def test_while_the_inbox_takes_nothing_the_stream_keeps_it(
    settings: Settings, redis: Redis, redis_url: str, tmp_path: Path, conversation: Conversation
) -> None:
    """The stream lies in another Redis; what was read and not taken is read again, in its order."""
    heard: list[str] = []
    async with (
        EmbeddedRedis(tmp_path, supervised=False) as theirs,
        await connect(theirs.url) as shop,
    ):
        streams = {STREAM: StreamSettings(url=SecretStr(theirs.url))}
        elsewhere = settings.model_copy(update={"streams": streams})
        async with running(Gateway(_shop(heard)), elsewhere, redis_url):
            await redis.config_set("min-replicas-to-write", 1)
            try:
                for number in range(3):
                    await shop.xadd(
                        STREAM, {"type": "shop.step", "user_id": conversation.user_id, "number": number}
                    )

                async def refused() -> bool:
                    groups = await shop.xinfo_groups(STREAM)
                    return bool(groups and groups[0]["pending"])

                await wait_until(refused, description="the bridge has read what the inbox refuses")
                assert heard == []
            finally:
                await redis.config_set("min-replicas-to-write", 0)

            await _heard(heard, ["0", "1", "2"])


async def test_a_scene_that_a_service_names_is_entered(
    run: Run, write: Write, redis: Redis, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """With no handler of the event, the scene is all that it asks for."""
    runtime = await run(Feature("thanks", scene=_Thanks()))

    meta = f'{{"type":"shop.done","user_id":{conversation.user_id},"__next_scene__":"thanks"}}'
    await redis.xadd(STREAM, {"meta": meta, "payload": '{"name":"Ada"}'})
    await wait_until(lambda: api.chats[501].texts() == ["Thank you, Ada"], description="the scene is shown")
    assert await runtime.container.storage.get_state(conversation.storage_key()) == "Shop:thanked"


async def test_a_typed_event_is_the_same_through_this_door(
    run: Run, redis: Redis, outside: Outside, conversation: Conversation, write: Write
) -> None:
    """payment.succeeded is the model that every source's handler gets, money in whole minor units."""
    feature, paid = Feature("shop"), []

    @feature.on("payment.succeeded")
    async def succeeded(event: PaymentSucceeded) -> None:
        paid.append(event)

    await run(feature)
    fields: dict[Any, Any] = {
        "type": "payment.succeeded",
        "user_id": conversation.user_id,
        "payload": '{"amount_minor":4200,"currency":"EUR"}',
    }
    await redis.xadd(STREAM, fields)
    await wait_until(lambda: paid != [], description="the payment came")
    assert (paid[0].amount_minor, paid[0].provider) == (4200, f"stream:{STREAM}")
