"""One hotel, and three doors into the same conversation."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from aiogram.filters import Command
from aiogram.types import Message

from gateway import Director, Feature, Gateway
from gateway.demo.bot_api import BotApi
from gateway.runtime import Runtime
from routers.event import OtherEvent
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run
from tests.redis.director.hotel import hotel

Deed: TypeAlias = Callable[[Director], Awaitable[Any]]
Enter: TypeAlias = Callable[[Deed], Awaitable[None]]


class Doors:
    """Runs a deed in a chat handler, in a handler of an external event, or from outside of any."""

    def __init__(self, outside: Outside, api: BotApi, conversation: Conversation) -> None:
        self._outside = outside
        self._api = api
        self._conversation = conversation
        self._deed: Deed | None = None
        self.feature = Feature("doors")
        self.feature.chat.message(Command("enter"))(self._chat)
        self.feature.on("guest.enters")(self._event)

    async def _chat(self, message: Message, director: Director) -> Any:
        assert self._deed is not None
        return await self._deed(director)

    async def _event(self, event: OtherEvent, director: Director) -> Any:
        assert self._deed is not None
        return await self._deed(director)

    async def enter(self, door: str, runtime: Runtime, deed: Deed) -> None:
        """Run *deed* behind *door*, show the view that it returns, and wait for all that comes of it."""
        self._deed = deed
        match door:
            case "chat":
                await self._outside.update(self._api.updates.message(501, "/enter"))
            case "event":
                await self._outside.send("guest.enters", to=self._conversation)
            case _:
                container = runtime.container
                async with container.conversation(container.bot, 501) as director:
                    view = await deed(director)
                    if view is not None:
                        director.show(view)
        await self._outside.settled()


@pytest.fixture
def doors(outside: Outside, api: BotApi, conversation: Conversation) -> Doors:
    """The three doors."""
    return Doors(outside, api, conversation)


@pytest.fixture
async def runtime(run: Run, doors: Doors) -> Runtime:
    """The hotel, open."""
    return await run(Gateway(*hotel(), doors.feature))


@pytest.fixture(params=["chat", "event", "outside"])
def enter(request: pytest.FixtureRequest, runtime: Runtime, doors: Doors) -> Enter:
    """One of the doors; a test that asks for it runs behind each."""

    async def enter(deed: Deed) -> None:
        await doors.enter(request.param, runtime, deed)

    return enter
