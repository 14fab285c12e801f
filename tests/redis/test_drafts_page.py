"""What docs/drafts.md shows runs, and does what it says."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from aiogram.fsm.context import FSMContext
from redis.asyncio import Redis

from gateway.settings import load_settings
from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation

PAGE = Path(__file__).parents[2] / "docs" / "drafts.md"


def _fenced(language: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return "\n".join(blocks)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's Python, in one module."""
    module = ModuleType("drafts_page")
    monkeypatch.setitem(sys.modules, "drafts_page", module)
    exec(compile(_fenced("python"), str(PAGE), "exec"), module.__dict__)
    return module


@pytest.fixture
def state(redis: Redis) -> FSMContext:
    """The user's context."""
    return FSMContext(ConversationStorage(redis), Conversation.private(42, 501).storage_key())


async def test_what_the_page_does_with_a_cart_leaves_what_it_says(
    shown: ModuleType, state: FSMContext
) -> None:
    """Cleared first, then counted."""
    await shown.shopping(state)
    assert await state.get_data() == {}

    await shown.counting(state)

    assert await state.get_data() == {
        "draft:cart": {"visits": 1, "total": 12900, "items": ["tea"], "owner": "Ada"}
    }


async def test_the_pages_shape_is_held_and_its_older_one_read(shown: ModuleType, state: FSMContext) -> None:
    """The night that is none is refused by name."""
    await BaseStateManager(state, "stay").update(hotel=3)
    assert await shown.StayStateManager(state).get_value("hotel_id") == 3

    assert await shown.booking(state) == "01.12., 1 night; refused: stay.nights"

    assert (await shown.StayStateManager(state).draft()).guests == ["Ada"]


async def test_the_pages_bots_can_be_made(shown: ModuleType, redis_url: str, tmp_path: Path) -> None:
    """The gateway, the one that polls, and the setting."""
    assert set(shown.gateway.features) == {"shop", "stay"}
    dispatcher = shown.polling(redis_url)
    await dispatcher.fsm.close()
    file = tmp_path / "gateway.toml"
    file.write_text('[telegram.bots.main]\ntoken = "42:demo"\nsecret_token = "secret"\n' + _fenced("toml"))

    assert load_settings(file, {}, source_kinds=()).state.clear_keeps_drafts
