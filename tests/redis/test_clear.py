"""What `clear` and `set_data` remove: of aiogram's context all data, of a manager its own draft."""

import pytest
from aiogram.fsm.context import FSMContext
from redis.asyncio import Redis

from gateway import Director, Feature, Gateway
from gateway.runtime import running
from gateway.settings import Settings
from gateway.settings.state import StateSettings
from routers.event import OtherEvent
from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation
from state.scripts import Committed
from tests.redis.conftest import Outside

CONVERSATION = Conversation.private(42, 501)


async def _filled(redis: Redis, *, clear_keeps_drafts: bool) -> tuple[ConversationStorage, FSMContext]:
    storage = ConversationStorage(redis, clear_keeps_drafts=clear_keeps_drafts)
    state = FSMContext(storage, CONVERSATION.storage_key())
    await state.set_state("Shop:paying")
    await state.update_data({"locale": "de", "draft:empty": {}})
    await BaseStateManager(state, "booking").update(hotel_id=7)
    return storage, state


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("in_a_handler", [True, False])
async def test_d3_state_clear_leaves_drafts_alone_if_the_setting_says_so(
    redis: Redis, keeps: bool, in_a_handler: bool
) -> None:
    """aiogram's and codex-bot's wipe every feature's draft, whoever calls it; here that is a choice."""
    storage, state = await _filled(redis, clear_keeps_drafts=keeps)
    left = {"draft:booking": {"hotel_id": 7}, "draft:empty": {}} if keeps else {}

    if in_a_handler:
        unit = await storage.unit_of_work(CONVERSATION)
        with unit.current():
            await state.clear()
            assert await state.get_data() == left
            assert await state.get_value("draft:booking") == left.get("draft:booking")
            assert await state.get_value("locale") is None
        assert (await storage.commit(unit)).outcome is Committed.COMMITTED
    else:
        await state.clear()

    assert await state.get_state() is None
    assert await state.get_data() == left


@pytest.mark.parametrize("in_a_handler", [True, False])
async def test_data_that_is_set_replaces_drafts_whatever_the_setting(
    redis: Redis, in_a_handler: bool
) -> None:
    """Only an empty `set_data`, which is what `clear` does, spares them: the rest is aiogram's contract."""
    storage, state = await _filled(redis, clear_keeps_drafts=True)
    wanted = {"locale": "fr", "draft:profile": {"name": "Ada"}}

    if in_a_handler:
        unit = await storage.unit_of_work(CONVERSATION)
        with unit.current():
            await state.set_data(wanted)
            assert await state.get_data() == wanted
        assert (await storage.commit(unit)).outcome is Committed.COMMITTED
    else:
        await state.set_data(wanted)

    assert await state.get_data() == wanted


async def test_what_a_handler_writes_after_it_cleared_is_kept(redis: Redis) -> None:
    """The order of what it did counts."""
    storage, state = await _filled(redis, clear_keeps_drafts=True)
    unit = await storage.unit_of_work(CONVERSATION)
    with unit.current():
        await BaseStateManager(state, "booking").update(nights=2)
        await state.clear()
        await state.update_data(locale="it")
        await BaseStateManager(state, "profile").update(name="Ada")
    assert (await storage.commit(unit)).outcome is Committed.COMMITTED

    assert await state.get_data() == {
        "locale": "it",
        "draft:booking": {"hotel_id": 7, "nights": 2},
        "draft:empty": {},
        "draft:profile": {"name": "Ada"},
    }


@pytest.mark.parametrize("feature", ["booking", "a:b", "50%", "%3A", "прокат"])
async def test_a_managers_clear_removes_its_draft_and_nothing_else(redis: Redis, feature: str) -> None:
    """Whatever the feature is called, and whether the draft is fields or one empty value."""
    _, state = await _filled(redis, clear_keeps_drafts=False)
    manager = BaseStateManager(state, f"{feature}")
    before = await state.get_data()
    before.pop(f"draft:{feature}", None)

    await manager.update(field=1)
    await manager.clear()
    assert await state.get_data() == before

    await state.update_data({f"draft:{feature}": {}})
    assert await state.get_value(f"draft:{feature}") == {}
    await manager.clear()
    assert await state.get_data() == before


@pytest.mark.parametrize("keeps", [True, False])
async def test_the_setting_reaches_the_bot(
    settings: Settings,
    outside: Outside,
    conversation: Conversation,
    redis: Redis,
    redis_url: str,
    keeps: bool,
) -> None:
    """`[state] clear_keeps_drafts`, in a handler that the gateway runs."""
    shop = Feature("shop")

    @shop.on("order.filled")
    async def filled(event: OtherEvent, director: Director) -> None:
        await BaseStateManager(director.state, "shop").update(item=7)

    @shop.on("order.ended")
    async def ended(event: OtherEvent, director: Director) -> None:
        await director.state.clear()

    chosen = settings.model_copy(update={"state": StateSettings(clear_keeps_drafts=keeps)})
    async with running(Gateway(shop), chosen, redis_url):
        for event_type in ("order.filled", "order.ended"):
            await outside.send(event_type, to=conversation)
            await outside.settled()

    context = FSMContext(ConversationStorage(redis), conversation.storage_key())
    assert await context.get_data() == ({"draft:shop": {"item": 7}} if keeps else {})


@pytest.mark.parametrize("in_a_handler", [True, False])
@pytest.mark.parametrize("write", ["clear", "update and clear", "update", "replace", "update and delete"])
async def test_a_value_under_a_drafts_name_does_not_outlive_the_draft(
    redis: Redis, write: str, in_a_handler: bool
) -> None:
    """aiogram may keep a plain value there; once the feature writes or clears, nothing shows it again."""
    storage = ConversationStorage(redis)
    state = FSMContext(storage, CONVERSATION.storage_key())
    await state.update_data({"draft:shop": "no draft", "locale": "de"})
    shop = BaseStateManager(state, "shop")

    async def written() -> None:
        if "update" in write:
            await shop.update(item=7)
        if write == "replace":
            await state.update_data({"draft:shop": {"item": 7}})
        if "clear" in write:
            await shop.clear()
        if "delete" in write:
            await shop.delete("item")

    if in_a_handler:
        unit = await storage.unit_of_work(CONVERSATION)
        with unit.current():
            await written()
        assert (await storage.commit(unit)).outcome is Committed.COMMITTED
    else:
        await written()

    left = {"draft:shop": {"item": 7}} if write in {"update", "replace"} else {}
    assert await state.get_data() == {"locale": "de"} | left
    assert await state.get_value("draft:shop") == left.get("draft:shop")
    fields = await redis.hkeys(storage._scripts.keys.conversation(CONVERSATION))
    assert b"d:draft:shop" not in fields
