"""G6: a feature's manager sees and clears its own draft only; on any storage of aiogram's."""

from typing import Any

import pytest
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import BaseStorage
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.fsm.storage.redis import RedisStorage
from redis.asyncio import Redis

from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation

CONVERSATION = Conversation.private(42, 501)


class BookingStateManager(BaseStateManager):
    """As a bot author writes it."""

    feature_key = "booking"


class ProfileStateManager(BaseStateManager):
    """In the form with an argument."""

    def __init__(self, state: FSMContext) -> None:
        super().__init__(state, feature_key="profile")


@pytest.fixture(params=["ours", "aiogram's memory", "aiogram's Redis"])
def state(request: pytest.FixtureRequest, redis: Redis) -> FSMContext:
    """A context on our storage, and on those of aiogram's."""
    storages: dict[str, BaseStorage] = {
        "ours": ConversationStorage(redis),
        "aiogram's memory": MemoryStorage(),
        "aiogram's Redis": RedisStorage(redis, state_ttl=60, data_ttl=60),
    }
    return FSMContext(storages[request.param], CONVERSATION.storage_key())


async def test_a_manager_sees_and_clears_its_own_draft_only(state: FSMContext) -> None:
    """The other feature's draft and the bot's own data stay as they are."""
    booking, profile = BookingStateManager(state), ProfileStateManager(state)
    await state.update_data(locale="de")
    await profile.update(name="Ada")
    await booking.update(hotel_id=7)

    assert await booking.get_payload() == {"hotel_id": 7}
    await booking.clear()

    assert await booking.get_payload() == {}
    assert await state.get_data() == {"locale": "de", "draft:profile": {"name": "Ada"}}


async def test_an_update_leaves_the_drafts_other_fields_alone(state: FSMContext) -> None:
    """And returns the draft as it is then."""
    booking = BookingStateManager(state)
    await booking.update(hotel_id=7, nights=1)

    assert await booking.update(nights=2) == {"hotel_id": 7, "nights": 2}
    assert await booking.get_value("nights") == 2
    assert await booking.get_value("missing", "default") == "default"


@pytest.mark.parametrize("name", ["self", "key", "value", "a:b", "", "ключ"])
async def test_any_text_is_a_field_name(state: FSMContext, name: str) -> None:
    """Field names come from payloads, and codex-bot's manager raises TypeError for `self`."""
    booking = BookingStateManager(state)
    await booking.set_value(name, 1)

    assert await booking.get_payload() == {name: 1}
    await booking.delete(name)
    assert await booking.get_payload() == {}


@pytest.mark.parametrize(
    "value", [None, [], {}, {"a": []}, 2**70, 9007199254740993, -1.5, "текст \U0001f600", {"1": [None, {}]}]
)
async def test_a_value_comes_back_as_it_was(state: FSMContext, value: Any) -> None:
    """Big integers, empty lists, unicode and nesting, none of which Redis's own JSON would keep."""
    booking = BookingStateManager(state)
    await booking.update(value=value)

    assert await booking.get_payload() == {"value": value}


async def test_the_draft_shows_in_aiograms_data(state: FSMContext) -> None:
    """As codex-bot lays it out, so that handlers which read the data still work."""
    await BookingStateManager(state).update(hotel_id=7)

    assert await state.get_data() == {"draft:booking": {"hotel_id": 7}}
    assert await state.get_value("draft:booking") == {"hotel_id": 7}


def test_a_manager_without_a_feature_is_refused() -> None:
    """It would write into everybody's draft."""
    context = FSMContext(MemoryStorage(), CONVERSATION.storage_key())

    with pytest.raises(TypeError, match="feature_key"):
        BaseStateManager(context)
