"""aiogram's rules for storages, held by ours as by aiogram's own: outside of handlers and within one."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from aiogram.exceptions import DataNotDictLikeError
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import BaseStorage, DefaultKeyBuilder, StateType, StorageKey
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.fsm.storage.redis import RedisStorage
from redis.asyncio import Redis

from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation
from state.unit_of_work import UnitOfWork

KEY = StorageKey(bot_id=42, chat_id=-100, user_id=501)
OTHERS = {
    "bot": replace(KEY, bot_id=43),
    "chat": replace(KEY, chat_id=-101),
    "user": replace(KEY, user_id=502),
    "thread": replace(KEY, thread_id=7),
    "business connection": replace(KEY, business_connection_id="JTLB"),
    "destiny": replace(KEY, destiny="scenes_history"),
}


class Shop(StatesGroup):
    """Two states."""

    choosing = State()
    paying = State()


class InAHandler(BaseStorage):
    """Our storage as a handler meets it: each conversation in a unit of work that is not committed yet."""

    def __init__(self, storage: ConversationStorage) -> None:
        self._storage = storage
        self._units: dict[StorageKey, UnitOfWork] = {}

    async def _unit(self, key: StorageKey) -> UnitOfWork:
        if key not in self._units:
            self._units[key] = await self._storage.unit_of_work(Conversation.from_storage_key(key))
        return self._units[key]

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Stage a state."""
        with (await self._unit(key)).current():
            await self._storage.set_state(key, state)

    async def get_state(self, key: StorageKey) -> str | None:
        """Read it through what is staged."""
        with (await self._unit(key)).current():
            return await self._storage.get_state(key)

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """Stage data."""
        with (await self._unit(key)).current():
            await self._storage.set_data(key, data)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """Read it through what is staged."""
        with (await self._unit(key)).current():
            return await self._storage.get_data(key)

    async def get_value(self, storage_key: StorageKey, dict_key: str, default: Any = None) -> Any:
        """Read one value through what is staged."""
        with (await self._unit(storage_key)).current():
            return await self._storage.get_value(storage_key, dict_key, default)

    async def update_data(self, key: StorageKey, data: Mapping[str, Any]) -> dict[str, Any]:
        """Stage some data."""
        with (await self._unit(key)).current():
            return await self._storage.update_data(key, data)

    async def close(self) -> None:
        """Leave everything uncommitted."""


@pytest.fixture(params=["aiogram's memory", "aiogram's Redis", "ours", "ours in a handler"])
def storage(request: pytest.FixtureRequest, redis: Redis) -> BaseStorage:
    """Each storage that the rules are for."""
    builder = DefaultKeyBuilder(with_bot_id=True, with_business_connection_id=True, with_destiny=True)
    storages: dict[str, BaseStorage] = {
        "aiogram's memory": MemoryStorage(),
        "aiogram's Redis": RedisStorage(redis, builder, state_ttl=60, data_ttl=60),
        "ours": ConversationStorage(redis),
        "ours in a handler": InAHandler(ConversationStorage(redis)),
    }
    return storages[request.param]


async def test_a_conversation_begins_without_state_and_data(storage: BaseStorage) -> None:
    """And looking at it changes nothing."""
    assert await storage.get_state(KEY) is None
    assert await storage.get_data(KEY) == {}
    assert await storage.get_value(KEY, "a") is None
    assert await storage.get_value(KEY, "a", "default") == "default"


async def test_a_state_is_set_by_object_or_name_and_removed_by_none(storage: BaseStorage) -> None:
    """The data stay out of it."""
    await storage.set_data(KEY, {"a": 1})
    for state, name in ((Shop.choosing, "Shop:choosing"), ("any text", "any text"), (None, None)):
        await storage.set_state(KEY, state)
        assert await storage.get_state(KEY) == name
    await storage.set_state(KEY, Shop.paying)
    await storage.set_state(KEY)

    assert await storage.get_state(KEY) is None
    assert await storage.get_data(KEY) == {"a": 1}


async def test_set_data_replaces_everything_and_the_state_stays(storage: BaseStorage) -> None:
    """Keys that the new data lack are gone."""
    await storage.set_state(KEY, Shop.paying)
    await storage.set_data(KEY, {"a": 1, "draft:booking": {"hotel": 7}})
    await storage.set_data(KEY, {"b": 2})
    assert await storage.get_data(KEY) == {"b": 2}

    await storage.set_data(KEY, {})
    assert await storage.get_data(KEY) == {}
    assert await storage.get_state(KEY) == "Shop:paying"


async def test_update_data_keeps_the_other_keys_and_returns_everything(storage: BaseStorage) -> None:
    """Like `dict.update`, of which it is the asynchronous form."""
    assert await storage.update_data(KEY, {"a": 1, "b": {"x": 1}}) == {"a": 1, "b": {"x": 1}}
    assert await storage.update_data(KEY, {"b": {"y": 2}}) == {"a": 1, "b": {"y": 2}}
    assert await storage.update_data(KEY, {}) == {"a": 1, "b": {"y": 2}}
    assert await storage.get_data(KEY) == {"a": 1, "b": {"y": 2}}


async def test_a_key_named_like_a_draft_is_replaced_whole(storage: BaseStorage) -> None:
    """As any other key is, whatever our layout makes of it."""
    await storage.update_data(KEY, {"draft:booking": {"hotel": 7, "nights": 2}})

    values: list[Any] = [{"hotel": 8}, {}, [1], None, "text", {"a": {}}]
    for value in values:
        assert await storage.update_data(KEY, {"draft:booking": value}) == {"draft:booking": value}
        assert await storage.get_value(KEY, "draft:booking", "default") == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        False,
        0,
        "",
        [],
        {},
        -0.5,
        float("inf"),
        [None, float("-inf")],
        2**80,
        "текст \U0001f600",
        {"a": [{}]},
    ],
)
async def test_a_value_comes_back_as_it_was_by_every_way(storage: BaseStorage, value: Any) -> None:
    """What is empty or false is there all the same: the default is for what is absent."""
    await storage.set_data(KEY, {"key": value})

    for found in (
        (await storage.get_data(KEY))["key"],
        await storage.get_value(KEY, "key"),
        await storage.get_value(KEY, "key", "default"),
        (await storage.update_data(KEY, {"other": 1}))["key"],
    ):
        assert found == value
        assert type(found) is type(value)


@pytest.mark.parametrize("name", ["", "a:b", "draft:", "draft::", "draft:a:b%3Ac", "s", "r", "ключ", "d:x"])
async def test_any_text_is_a_key(storage: BaseStorage, name: str) -> None:
    """None of them meets a name of the layout."""
    await storage.set_state(KEY, Shop.paying)
    await storage.set_data(KEY, {name: {"a": 1}, "other": 2})

    assert await storage.get_data(KEY) == {name: {"a": 1}, "other": 2}
    assert await storage.get_value(KEY, name) == {"a": 1}
    await storage.update_data(KEY, {name: 5})
    assert await storage.get_data(KEY) == {name: 5, "other": 2}
    assert await storage.get_state(KEY) == "Shop:paying"


async def test_what_was_read_is_a_copy(storage: BaseStorage) -> None:
    """Changing it, or what was written, changes nothing in the storage."""
    written = {"a": 1}
    await storage.set_data(KEY, written)
    written["a"] = 2
    (await storage.get_data(KEY))["a"] = 3
    (await storage.update_data(KEY, {}))["a"] = 4

    assert await storage.get_data(KEY) == {"a": 1}


@pytest.mark.parametrize("data", [None, 5, "text", [("a", 1)]])
async def test_data_that_are_no_dictionary_are_refused(storage: BaseStorage, data: Any) -> None:
    """By aiogram's own exception, and what was there stays."""
    await storage.set_data(KEY, {"a": 1})

    with pytest.raises(DataNotDictLikeError):
        await storage.set_data(KEY, data)
    assert await storage.get_data(KEY) == {"a": 1}


@pytest.mark.parametrize("other", OTHERS)
async def test_conversations_are_apart(storage: BaseStorage, other: str) -> None:
    """By each of the six things that name one."""
    for number, key in enumerate((KEY, OTHERS[other])):
        await storage.set_state(key, f"state {number}")
        await storage.set_data(key, {"number": number})
    await storage.update_data(KEY, {"more": True})
    await storage.set_state(KEY, None)

    assert await storage.get_state(OTHERS[other]) == "state 1"
    assert await storage.get_data(OTHERS[other]) == {"number": 1}
    assert await storage.get_data(KEY) == {"number": 0, "more": True}


async def test_a_context_is_the_storage_for_one_key(storage: BaseStorage) -> None:
    """`FSMContext`'s own methods, of which `clear` removes the state and all data."""
    state = FSMContext(storage, KEY)
    await state.set_state(Shop.choosing)
    assert await state.update_data({"a": 1}, b=2) == {"a": 1, "b": 2}
    assert await state.get_value("b") == 2
    assert await state.get_value("c", "default") == "default"
    await state.set_data({"d": 4})
    assert (await state.get_state(), await state.get_data()) == ("Shop:choosing", {"d": 4})

    await state.clear()
    assert (await state.get_state(), await state.get_data()) == (None, {})


async def test_a_value_under_a_drafts_name_goes_with_the_drafts_first_field(redis: Redis) -> None:
    """It does not come back when the draft's fields are gone, in a handler as outside of one."""
    ours = ConversationStorage(redis)
    for in_a_handler in (False, True):
        await ours.set_data(KEY, {"draft:booking": 1})
        unit = await ours.unit_of_work(Conversation.from_storage_key(KEY))
        with unit.current() if in_a_handler else nullcontext():
            booking = BaseStateManager(FSMContext(ours, KEY), "booking")
            await booking.update(hotel=7)
            await booking.delete("hotel")
            assert await ours.get_data(KEY) == {}
        await ours.commit(unit)
        assert await ours.get_data(KEY) == {}
