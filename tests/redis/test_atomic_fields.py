"""Changing what a field holds, without losing what another writer does to it at the same time."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack

import pytest
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import BaseStorage
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.fsm.storage.redis import RedisStorage
from redis.asyncio import Redis

from state import BaseStateManager, ConversationStorage
from state.changes import Change, DraftChange
from state.conversation import Conversation
from state.errors import DraftInvalid
from state.grouping import GroupedCalls
from state.keys import Keys
from state.scripts import Committed, Scripts

CONVERSATION = Conversation.private(42, 501)


class Cart(BaseStateManager):
    """The feature of these tests."""

    feature_key = "cart"


@pytest.fixture(params=["ours", "aiogram's memory", "aiogram's Redis"])
def state(request: pytest.FixtureRequest, redis: Redis) -> FSMContext:
    """A context on our storage, and on those of aiogram's."""
    storages: dict[str, BaseStorage] = {
        "ours": ConversationStorage(redis),
        "aiogram's memory": MemoryStorage(),
        "aiogram's Redis": RedisStorage(redis, state_ttl=60, data_ttl=60),
    }
    return FSMContext(storages[request.param], CONVERSATION.storage_key())


async def test_increment_counts_from_nothing_up_and_down(state: FSMContext) -> None:
    """It returns the sum; big integers and fractions stay exact."""
    cart = Cart(state)

    assert await cart.increment("count") == 1
    assert await cart.increment("count", 2**70) == 2**70 + 1
    assert await cart.increment("count", -(2**70)) == 1
    assert await cart.increment("rating", 0.5) == 0.5
    assert await cart.get_payload() == {"count": 1, "rating": 0.5}


async def test_compare_and_set_writes_only_what_was_expected(state: FSMContext) -> None:
    """None is also what is not there."""
    cart = Cart(state)

    assert await cart.compare_and_set("step", None, "choosing")
    assert not await cart.compare_and_set("step", "paying", "paid")
    assert await cart.compare_and_set("step", "choosing", ["paying", {}])
    assert await cart.get_payload() == {"step": ["paying", {}]}


async def test_append_and_remove_change_a_list(state: FSMContext) -> None:
    """An absent list is empty; remove takes the first of each item; an empty list stays one."""
    cart = Cart(state)

    assert await cart.append("items", "a", "b") == ["a", "b"]
    assert await cart.append("items", {"c": []}, "a") == ["a", "b", {"c": []}, "a"]
    assert await cart.remove("items", "a", "missing") == ["b", {"c": []}, "a"]
    assert await cart.remove("items", "b", {"c": []}, "a") == []
    assert await cart.get_payload() == {"items": []}


@pytest.mark.parametrize("held", ["text", True, {"a": 1}])
async def test_what_is_no_number_and_no_list_is_named_and_left_alone(state: FSMContext, held: object) -> None:
    """The error says which feature, field and conversation."""
    cart = Cart(state)
    await cart.update(field=held)

    for change in (cart.increment("field"), cart.append("field", 1), cart.remove("field", 1)):
        with pytest.raises(DraftInvalid) as refusal:
            await change
        assert (refusal.value.feature, refusal.value.field) == ("cart", "field")
        assert refusal.value.conversation == CONVERSATION.encode()
    assert await cart.get_value("field") == held


async def test_changes_at_once_lose_nothing(redis: Redis, redis_url: str) -> None:
    """Through two connections, as from two processes: every increment, item and removal counts."""
    del redis  # it empties the store first
    one, other = (ConversationStorage.from_url(redis_url) for _ in range(2))
    carts = [Cart(FSMContext(storage, CONVERSATION.storage_key())) for storage in (one, other)]
    try:
        await carts[0].update(doomed=list(range(20)))
        changes: list[Awaitable[object]] = []
        for number in range(20):
            cart = carts[number % 2]
            changes += [cart.increment("count"), cart.append("items", number), cart.remove("doomed", number)]
        await asyncio.gather(*changes)

        payload = await carts[0].get_payload()
    finally:
        await one.close()
        await other.close()
    assert (payload["count"], sorted(payload["items"]), payload["doomed"]) == (20, list(range(20)), [])


async def test_one_of_many_that_expect_the_same_succeeds(redis: Redis, redis_url: str) -> None:
    """So a draft can be taken by one writer only."""
    del redis  # it empties the store first
    storages = [ConversationStorage.from_url(redis_url) for _ in range(3)]
    carts = [Cart(FSMContext(storage, CONVERSATION.storage_key())) for storage in storages * 4]
    try:
        won = await asyncio.gather(
            *(cart.compare_and_set("owner", None, number) for number, cart in enumerate(carts))
        )
        assert won.count(True) == 1
        assert await carts[0].get_value("owner") == won.index(True)
    finally:
        for storage in storages:
            await storage.close()


async def test_a_handler_that_increments_runs_again_if_another_writer_came_between(redis: Redis) -> None:
    """Its sum rests on what it read, so it is neither merged blindly nor lost."""
    storage = ConversationStorage(redis)
    cart = Cart(FSMContext(storage, CONVERSATION.storage_key()))
    unit = await storage.unit_of_work(CONVERSATION)
    with unit.current():
        assert await cart.increment("count") == 1
    assert await cart.increment("count", 10) == 10

    assert (await storage.commit(unit)).outcome is Committed.CONFLICT
    assert not unit.rebase(await storage.read_again(unit))


async def test_a_change_whose_answer_was_lost_is_not_made_twice(redis: Redis) -> None:
    """A client that asks again under the change's name is told that it was made."""
    storage, scripts = ConversationStorage(redis), Scripts(GroupedCalls(redis), Keys())
    cart = Cart(FSMContext(storage, CONVERSATION.storage_key()))

    def added(count: bytes, expected: bytes | None, name: str) -> Change:
        return Change(
            conversation=CONVERSATION,
            ttl_ms=60_000,
            drafts={"cart": DraftChange(set={"count": count})},
            when={"f:cart:count": expected},
            once=name,
        )

    assert (await scripts.commit(added(b"1", None, "first"))).outcome is Committed.COMMITTED
    assert await cart.increment("count") == 2

    assert (await scripts.commit(added(b"1", None, "first"))).outcome is Committed.COMMITTED
    assert (await scripts.commit(added(b"1", None, "second"))).outcome is Committed.CONFLICT
    assert await cart.get_value("count") == 2


async def test_a_hundred_writers_of_ten_clients_lose_nothing_of_one_field(
    redis: Redis, redis_url: str
) -> None:
    """Each counts, adds to a list, takes from one and claims a place, however often they meet."""
    del redis  # it empties the store first
    async with AsyncExitStack() as opened:
        carts = []
        for _ in range(10):
            # Nothing but Redis is between two storages, as between two processes.
            storage = ConversationStorage.from_url(redis_url)
            opened.push_async_callback(storage.close)
            carts.append(Cart(FSMContext(storage, CONVERSATION.storage_key())))
        await carts[0].update(leaving=[*range(101)])

        async def write(number: int) -> bool:
            cart = carts[number % 10]
            await cart.increment("count")
            await cart.append("joined", number)
            await cart.remove("leaving", number)
            return await cart.compare_and_set("winner", None, number)

        won = await asyncio.gather(*map(write, range(100)))
        payload = await carts[0].get_payload()

    assert sorted(payload.pop("joined")) == [*range(100)]
    assert payload == {"count": 100, "leaving": [100], "winner": won.index(True)}
    assert won.count(True) == 1
