"""A draft that expires by itself: on any Redis from 7.0 on, lazily, and prolonged by use."""

from datetime import timedelta

import pytest
from aiogram.fsm.context import FSMContext
from redis.asyncio import Redis

from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation
from state.keys import Keys
from state.scripts import Committed
from tests.waiting import wait_until

CONVERSATION = Conversation.private(42, 501)
KEY = Keys().conversation(CONVERSATION)


class Cart(BaseStateManager):
    """A draft of its own short life."""

    feature_key = "cart"
    expires_after = timedelta(milliseconds=60)


class Offer(BaseStateManager):
    """A draft that outlives any test."""

    feature_key = "offer"
    expires_after = timedelta(hours=1)


class Profile(BaseStateManager):
    """A draft that lives as long as its conversation."""

    feature_key = "profile"


@pytest.fixture
def storage(redis: Redis) -> ConversationStorage:
    """The storage, without a setting for drafts."""
    return ConversationStorage(redis)


@pytest.fixture
def state(storage: ConversationStorage) -> FSMContext:
    """The user's context."""
    return FSMContext(storage, CONVERSATION.storage_key())


async def _deadline(redis: Redis, feature: str) -> int | None:
    stored = await redis.hget(KEY, f"e:{feature}")
    return int(stored) if stored is not None else None


async def _expired(state: FSMContext) -> None:
    """Return when the cart's time is over, without using the cart."""

    async def gone() -> bool:
        return "draft:cart" not in await state.get_data()

    await wait_until(gone, description="the draft has expired")


async def test_a_draft_whose_time_is_over_is_gone_everywhere(
    state: FSMContext, storage: ConversationStorage
) -> None:
    """For its manager, in aiogram's data, in a single value and in a handler; the others stay."""
    cart = Cart(state)
    await Profile(state).update(name="Ada")
    await cart.update(item=7)

    await _expired(state)

    assert await cart.get_payload() == {}
    assert await cart.get_value("item", "none") == "none"
    assert await state.get_value("draft:cart") is None
    assert await state.get_data() == {"draft:profile": {"name": "Ada"}}
    unit = await storage.unit_of_work(CONVERSATION)
    with unit.current():
        assert await state.get_data() == {"draft:profile": {"name": "Ada"}}
        assert await cart.get_value("item") is None


async def test_what_has_expired_does_not_come_back_with_the_next_write(state: FSMContext) -> None:
    """The fields are removed then, not only hidden."""
    cart = Cart(state)
    await cart.update(item=7, count=1)
    await _expired(state)

    assert await cart.update(item=8) == {"item": 8}
    assert await cart.increment("count") == 1


@pytest.mark.parametrize("use", ["get_payload", "get_value", "update", "increment"])
async def test_each_use_of_a_draft_prolongs_it(state: FSMContext, redis: Redis, use: str) -> None:
    """Reading one field is use, as writing is."""
    offer = Offer(state)
    await offer.update(price=100, seen=0)
    first = await _deadline(redis, "offer")
    assert first is not None

    async def prolonged() -> bool:
        match use:
            case "get_payload":
                await offer.get_payload()
            case "get_value":
                await offer.get_value("price")
            case "update":
                await offer.update(price=90)
            case "increment":
                await offer.increment("seen")
        return (await _deadline(redis, "offer") or 0) > first

    await wait_until(prolonged, description=f"{use} moves the deadline")


@pytest.mark.parametrize("whole", [True, False])
async def test_a_handler_that_reads_a_draft_prolongs_it_with_its_commit(
    state: FSMContext, storage: ConversationStorage, redis: Redis, whole: bool
) -> None:
    """Reading stages the new deadline; nothing is written before the commit."""
    offer = Offer(state)
    await offer.update(price=100)
    first = await _deadline(redis, "offer")
    assert first is not None

    async def prolonged() -> bool:
        unit = await storage.unit_of_work(CONVERSATION)
        with unit.current():
            assert await (offer.get_payload() if whole else offer.get_value("price"))
        assert await _deadline(redis, "offer") == first
        assert (await storage.commit(unit)).outcome is Committed.COMMITTED
        return (await _deadline(redis, "offer") or 0) > first

    await wait_until(prolonged, description="the commit moves the deadline")


async def test_another_features_use_prolongs_nothing(state: FSMContext, redis: Redis) -> None:
    """Each draft has its own time, and one without keeps none."""
    await Offer(state).update(price=100)
    deadline = await _deadline(redis, "offer")
    await Profile(state).update(name="Ada")
    await Profile(state).get_payload()
    await state.update_data(locale="de")

    assert await _deadline(redis, "offer") == deadline
    assert await _deadline(redis, "profile") is None


async def test_a_setting_gives_every_draft_an_expiry_that_a_manager_may_change(redis: Redis) -> None:
    """A manager's own comes first; zero stands for: as long as the conversation."""

    class Lasting(BaseStateManager):
        feature_key = "lasting"
        expires_after = timedelta(0)

    storage = ConversationStorage(redis, draft_expires_after=timedelta(minutes=5))
    state = FSMContext(storage, CONVERSATION.storage_key())
    for manager in (Profile(state), Offer(state), Lasting(state)):
        await manager.update(field=1)
    seconds, _ = await redis.time()

    assert 290 < (await _deadline(redis, "profile") or 0) / 1000 - seconds < 302
    assert 3590 < (await _deadline(redis, "offer") or 0) / 1000 - seconds < 3602
    assert await _deadline(redis, "lasting") is None


async def test_a_draft_that_is_cleared_leaves_no_deadline(state: FSMContext, redis: Redis) -> None:
    """Neither does one whose last field is deleted; nothing is left of the conversation."""
    offer = Offer(state)
    await offer.update(price=100)
    await offer.clear()
    assert await redis.exists(KEY) == 0

    await offer.update(price=100)
    await offer.delete("price")
    assert await redis.exists(KEY) == 0


@pytest.mark.parametrize("in_a_handler", [True, False])
@pytest.mark.parametrize("write", ["set_data", "update_data"])
async def test_a_draft_that_comes_with_aiograms_data_expires_as_the_setting_says(
    redis: Redis, write: str, in_a_handler: bool
) -> None:
    """No way of writing a draft makes one that stays."""
    storage = ConversationStorage(redis, draft_expires_after=timedelta(minutes=5))
    state = FSMContext(storage, CONVERSATION.storage_key())
    method = state.set_data if write == "set_data" else state.update_data
    if in_a_handler:
        unit = await storage.unit_of_work(CONVERSATION)
        with unit.current():
            await method({"draft:offer": {"price": 100}, "locale": "de"})
        assert (await storage.commit(unit)).outcome is Committed.COMMITTED
    else:
        await method({"draft:offer": {"price": 100}, "locale": "de"})

    assert await state.get_data() == {"draft:offer": {"price": 100}, "locale": "de"}
    assert await _deadline(redis, "offer") is not None
