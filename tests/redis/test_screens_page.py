"""What docs/screens.md shows runs, and does what it says."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gateway.demo.bot_api import BotApi
from gateway.runtime import Runtime
from state.conversation import Conversation
from state.timers import Timers
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until

PAGE = Path(__file__).parents[2] / "docs" / "screens.md"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's Python, in one module."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    module = ModuleType("screens_page")
    monkeypatch.setitem(sys.modules, "screens_page", module)
    exec(compile("\n".join(blocks), str(PAGE), "exec"), module.__dict__)
    return module


@pytest.fixture
async def runtime(run: Run, shown: ModuleType) -> Runtime:
    """The page's gateway, running."""
    return await run(shown.gateway)


def _seen(api: BotApi) -> list[str]:
    return api.chats[501].texts()


async def _press(outside: Outside, api: BotApi, data: str) -> None:
    (message_id,) = [number for number, message in api.chats[501].messages.items() if message.keyboard]
    await outside.update(api.updates.press(501, message_id, data))


async def test_the_tour_of_the_page_goes_there_and_back(
    runtime: Runtime, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Scenes edited in place; the notice goes and the timer ends when the till is left."""
    timers = Timers(outside.scripts)
    await outside.update(api.updates.message(501, "/rooms"))
    assert _seen(api) == ["A room with a view?"]

    await _press(outside, api, "take")
    assert _seen(api) == ["42 EUR, please.", "Your room is kept for fifteen minutes."]
    assert set(await timers.pending(conversation)) == {"tour.too_late"}

    await _press(outside, api, "back")
    assert _seen(api) == ["A room with a view?"]
    assert await timers.pending(conversation) == {}


async def test_the_guard_and_the_timer_of_the_page_do_what_it_says(
    runtime: Runtime, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Closed hours show an alert and nothing else; too late is too late."""
    await outside.update(api.updates.message(501, "/rooms"))
    await runtime.container.storage.update_data(conversation.storage_key(), {"closed": True})
    await _press(outside, api, "take")
    assert _seen(api) == ["A room with a view?"]
    assert api.account.queries.all()[-1].answers[0]["text"] == "We are closed."

    await runtime.container.storage.update_data(conversation.storage_key(), {"closed": False})
    await _press(outside, api, "take")
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        director.after("tour.too_late", seconds=0.05)
    await wait_until(lambda: _seen(api) == ["The room has gone."], description="it is too late")


async def test_what_the_page_does_from_outside_is_seen(
    runtime: Runtime, shown: ModuleType, outside: Outside, api: BotApi
) -> None:
    """A scene and a menu, without any handler."""
    await shown.offer(runtime.container, 501)
    assert await shown.announce(runtime.container, 501)
    await outside.settled()

    assert sorted(_seen(api)) == ["A room with a view?", "Open all night!"]
