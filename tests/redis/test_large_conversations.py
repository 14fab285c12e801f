"""A conversation that has grown large: what is small in it stays cheap, and is read by need."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiogram.fsm.context import FSMContext
from redis.asyncio import Redis

from gateway import Director, Feature, Gateway
from gateway.runtime import running
from gateway.settings import Settings
from routers.event import OtherEvent
from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation
from state.scripts import Committed
from tests.redis.conftest import Outside
from tests.wire import Wire, metered

CONVERSATION = Conversation.private(42, 501)
KEY = CONVERSATION.storage_key()
KILOBYTE, MEGABYTE = 1_000, 1_000_000


async def _fill(redis: Redis, conversation: Conversation, size: int, fields: int = 10) -> None:
    """Give another feature a draft of *size* bytes."""
    state = FSMContext(ConversationStorage(redis), conversation.storage_key())
    piece = "x" * (size // fields)
    await BaseStateManager(state, "other").update(**{f"field{number}": piece for number in range(fields)})


async def _costs(wire: Wire, conversation: Conversation) -> dict[str, tuple[int, int]]:
    """Bytes sent and received by each operation on a small draft."""
    storage = ConversationStorage.from_url(wire.url)
    small = BaseStateManager(FSMContext(storage, conversation.storage_key()), "small")
    operations: dict[str, Callable[[], Awaitable[Any]]] = {
        "update": lambda: small.update(hotel_id=7),
        "set_value": lambda: small.set_value("nights", 1),
        "get_value": lambda: small.get_value("hotel_id"),
        "get_payload": small.get_payload,
        "increment": lambda: small.increment("nights"),
        "append": lambda: small.append("guests", "Ada"),
        "delete": lambda: small.delete("guests"),
        "get_state": small.state.get_state,
        "set_state": lambda: small.state.set_state("Shop:paying"),
        "clear": small.clear,
    }
    costs = {}
    for name, operation in operations.items():
        before = wire.now
        await operation()
        costs[name] = wire.since(before)
    await storage.close()
    return costs


async def test_a_small_drafts_operations_move_the_same_bytes_beside_a_megabyte(
    redis: Redis, redis_url: str
) -> None:
    """Beside a kilobyte, beside one in ten fields and beside one in twenty thousand: equal to the byte."""
    beside = {
        "warming up": (0, 1),
        "1 KB": (KILOBYTE, 10),
        "1 MB": (MEGABYTE, 10),
        "many": (MEGABYTE, 20_000),
    }
    costs = {}
    async with metered(redis_url) as wire:
        for number, (name, (size, fields)) in enumerate(beside.items()):
            conversation = Conversation.private(42, 500 + number)
            await _fill(redis, conversation, size, fields)
            costs[name] = await _costs(wire, conversation)

    assert costs["1 KB"] == costs["1 MB"] == costs["many"]
    assert all(sent + received < 3_000 for sent, received in costs["1 MB"].values())


async def test_a_handler_does_not_load_what_it_does_not_read(
    settings: Settings, outside: Outside, conversation: Conversation, redis: Redis, redis_url: str
) -> None:
    """Its own draft costs its own bytes, from its event to the commit; the megabyte stays in Redis."""
    shop = Feature("shop")
    seen: list[Any] = []

    @shop.on("order.paid")
    async def paid(event: OtherEvent, director: Director) -> None:
        small = BaseStateManager(director.state, "small")
        seen.append((await director.state.get_state(), await small.get_payload()))
        await small.increment("count")

    @shop.on("order.shown")
    async def shown(event: OtherEvent, director: Director) -> None:
        seen.append(sorted(await director.state.get_data()))

    await _fill(redis, conversation, MEGABYTE)
    state = FSMContext(ConversationStorage(redis), conversation.storage_key())
    await state.set_state("Shop:paying")
    await BaseStateManager(state, "small").update(count=1)
    async with metered(redis_url) as wire, running(Gateway(shop), settings, wire.url):
        before = wire.now
        await outside.send("order.paid", to=conversation)
        await outside.settled()
        _, by_need = wire.since(before)
        before = wire.now
        await outside.send("order.shown", to=conversation)
        await outside.settled()
        _, whole = wire.since(before)

    assert seen == [("Shop:paying", {"count": 1}), ["draft:other", "draft:small"]]
    assert await BaseStateManager(state, "small").get_payload() == {"count": 2}
    assert by_need < MEGABYTE / 5
    assert whole > MEGABYTE


@pytest.fixture
async def storage(redis: Redis) -> ConversationStorage:
    """A storage with one large conversation, of which a handler first sees a part."""
    await _fill(redis, CONVERSATION, 100_000)
    storage = ConversationStorage(redis)
    state = FSMContext(storage, KEY)
    await state.set_state("Shop:paying")
    await state.update_data(locale="de")
    await BaseStateManager(state, "small").update(count=1, name="Ada")
    return storage


async def test_a_handler_reads_by_need_what_is_there(storage: ConversationStorage) -> None:
    """State, single values, a draft, a draft's field, what is absent, and last of all everything."""
    state = FSMContext(storage, KEY)
    small = BaseStateManager(state, "small")
    unit = await storage.unit_of_work(CONVERSATION)
    with unit.current():
        assert not unit.basis.whole
        assert await state.get_state() == "Shop:paying"
        assert await state.get_value("locale") == "de"
        assert await state.get_value("missing", 1) == 1
        assert await small.get_value("count") == 1
        assert await small.get_value("missing", 2) == 2
        assert await small.get_payload() == {"count": 1, "name": "Ada"}
        assert await state.get_value("draft:small") == {"count": 1, "name": "Ada"}
        assert not unit.basis.whole
        data = await state.get_data()
        assert unit.basis.whole

    assert set(data) == {"locale", "draft:small", "draft:other"}


async def test_what_a_handler_wrote_shows_in_what_it_reads_later(storage: ConversationStorage) -> None:
    """Though the stored values come only then."""
    state = FSMContext(storage, KEY)
    small = BaseStateManager(state, "small")
    unit = await storage.unit_of_work(CONVERSATION)
    with unit.current():
        await small.set_value("count", 2)
        assert await small.update(city="Graz") == {"count": 2, "name": "Ada", "city": "Graz"}
        await small.delete("name")
        assert await small.get_payload() == {"count": 2, "city": "Graz"}
        assert (await state.update_data(locale="it"))["locale"] == "it"
        assert (await state.get_data())["draft:small"] == {"count": 2, "city": "Graz"}
    assert (await storage.commit(unit)).outcome is Committed.COMMITTED

    assert await small.get_payload() == {"count": 2, "city": "Graz"}


async def test_what_another_writer_changed_unread_does_not_run_a_handler_again(
    storage: ConversationStorage,
) -> None:
    """The commit conflicts, and is made upon the new revision."""
    small = BaseStateManager(FSMContext(storage, KEY), "small")
    unit = await storage.unit_of_work(CONVERSATION)
    with unit.current():
        assert await small.increment("count") == 2
    await BaseStateManager(small.state, "other").update(field0="y")
    await small.set_value("name", "Grace")

    assert (await storage.commit(unit)).outcome is Committed.CONFLICT
    assert unit.rebase(await storage.read_again(unit))
    assert (await storage.commit(unit)).outcome is Committed.COMMITTED
    assert await small.get_payload() == {"count": 2, "name": "Grace"}


@pytest.mark.parametrize("looks", ["field", "draft", "value", "state"])
async def test_what_a_handler_saw_first_is_what_its_commit_rests_on(
    storage: ConversationStorage, looks: str
) -> None:
    """A value that changes before the rest is read is not shown anew, and the handler runs again."""
    state = FSMContext(storage, KEY)
    small = BaseStateManager(state, "small")
    looking: dict[str, Callable[[], Awaitable[Any]]] = {
        "field": lambda: small.get_value("count"),
        "draft": small.get_payload,
        "value": lambda: state.get_value("locale"),
        "state": state.get_state,
    }
    unit = await storage.unit_of_work(CONVERSATION)
    with unit.current():
        first = await looking[looks]()
    await small.update(count=9, new=1)
    await state.update_data(locale="fr")
    await state.set_state("Shop:paid")

    with unit.current():
        await state.get_data()
        assert await looking[looks]() == first
    assert (await storage.commit(unit)).outcome is Committed.CONFLICT
    assert not unit.rebase(await storage.read_again(unit))


async def test_what_is_neither_data_nor_a_draft_is_always_there(
    storage: ConversationStorage, redis: Redis
) -> None:
    """The scenes to come back to and the screen, which no handler asks Redis for."""
    unit = await storage.unit_of_work(CONVERSATION)
    unit.set_own("h", [["shop", {"page": 2}]])
    assert (await storage.commit(unit)).outcome is Committed.COMMITTED
    await redis.hset(Outside(redis).keys.conversation(CONVERSATION), "v:menu", "shown")

    unit = await storage.unit_of_work(CONVERSATION)

    assert not unit.basis.whole
    assert unit.own("h") == [["shop", {"page": 2}]]
    assert unit.block("menu") == b"shown"
    assert unit.rebase(await storage.read_again(unit))
    assert unit.block("menu") == b"shown"
