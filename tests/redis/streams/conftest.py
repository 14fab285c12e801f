"""A shop that writes to a Redis stream, and the bot that hears of it."""

from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway import Director, Feature, Orchestrator, View
from gateway.settings import Settings, StreamSettings
from routers.events.event import ServiceEvent
from state.conversation import Conversation
from state.service_stream import ServiceStream
from tests.redis.conftest import Run
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


class Thanks(Orchestrator):
    """A scene that a service can name."""

    expected_state = "Shop:thanked"

    async def render_content(self, payload: Any, director: Director) -> str:
        """Thank by name."""
        del director
        return f"Thank you, {payload['name']}"


@pytest.fixture
def run(write: Write, run: Run) -> Run:
    """The bot stops before its stream is removed."""
    del write
    return run


def shop(heard: list[str]) -> Feature:
    """A bot that keeps and shows each step, and notes it in *heard*."""
    feature = Feature("shop")

    @feature.on("shop.step")
    async def step(event: ServiceEvent, director: Director) -> View:
        heard.append(str(event.payload["number"]))
        await director.state.update_data(last=event.payload["number"])
        return View(content=f"Step {event.payload['number']}")

    return feature


async def heard_all(heard: list[str], expected: list[str]) -> None:
    """Return when exactly these came, in this order."""
    await wait_until(lambda: heard == expected, description=f"{expected} came")


async def finished(redis: Redis) -> bool:
    """Tell whether nothing is left unfinished."""
    return bool((await redis.xinfo_groups(STREAM))[0]["pending"] == 0)


def reading(redis: Redis, reader: str, lease: timedelta = timedelta(seconds=1)) -> ServiceStream:
    """Another process's hand on the stream."""
    return ServiceStream(
        redis, key=STREAM, group="fsm-gateway", reader=reader, lease=lease, start="0", prefix="gw"
    )
