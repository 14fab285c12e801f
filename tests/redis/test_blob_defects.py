"""
What goes wrong where all data of a user are one blob, read, changed and written back.

Each test is named after a defect that was measured in codex-bot 0.4 (d1 to d5) or aiogram 3.31, which ours
must not have.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Literal

import pytest
from aiogram.fsm.context import FSMContext
from redis.asyncio import Redis

from state import BaseStateManager, ConversationStorage, fields
from state.conversation import Conversation
from state.grouping import GroupedCalls
from state.keys import Keys
from state.outcomes import Committed
from state.reading import Reading
from state.scripts import Change, Scripts

CONVERSATION = Conversation.private(42, 501)
KEY = CONVERSATION.storage_key()


@pytest.fixture
def storage(redis: Redis) -> ConversationStorage:
    """Our storage, of which the test looks at the result."""
    return ConversationStorage(redis)


@pytest.fixture
async def states(redis: Redis, redis_url: str) -> AsyncIterator[list[FSMContext]]:
    """The same user's context in ten processes: each has a storage and a connection of its own."""
    async with AsyncExitStack() as opened:
        contexts = []
        for _ in range(10):
            storage = ConversationStorage.from_url(redis_url)
            opened.push_async_callback(storage.close)
            contexts.append(FSMContext(storage, KEY))
        yield contexts


async def test_d1_ten_features_that_write_at_once_all_keep_what_they_wrote(
    states: list[FSMContext], storage: ConversationStorage
) -> None:
    """Of ten drafts written through one blob, one survives."""
    for turn in range(20):
        await asyncio.gather(
            *(
                BaseStateManager(state, f"feature {number}").update(turn=turn)
                for number, state in enumerate(states)
            )
        )

        assert await storage.get_data(KEY) == {
            f"draft:feature {number}": {"turn": turn} for number in range(len(states))
        }


async def test_d1_twenty_fields_of_one_feature_written_at_once_are_all_there(
    states: list[FSMContext], storage: ConversationStorage
) -> None:
    """Of twenty keys of one draft, one survives."""
    await asyncio.gather(
        *(
            BaseStateManager(states[number % 10], "booking").update(**{f"field_{number}": number})
            for number in range(20)
        )
    )

    assert await BaseStateManager(FSMContext(storage, KEY), "booking").get_payload() == {
        f"field_{number}": number for number in range(20)
    }


async def test_updates_of_the_data_at_once_are_all_there(
    states: list[FSMContext], storage: ConversationStorage
) -> None:
    """aiogram's own `update_data` reads everything and writes everything back."""
    await BaseStateManager(states[0], "booking").update(hotel_id=7)
    await asyncio.gather(
        *(state.update_data({f"key {number}": number}) for number, state in enumerate(states))
    )

    assert await storage.get_data(KEY) == {f"key {number}": number for number in range(10)} | {
        "draft:booking": {"hotel_id": 7}
    }


async def test_a_draft_that_is_cleared_takes_no_concurrent_write_of_another_with_it(
    states: list[FSMContext], storage: ConversationStorage
) -> None:
    """Clearing through a blob writes back what it had read of all others."""
    await BaseStateManager(states[0], "old").update(a=1)
    await asyncio.gather(
        BaseStateManager(states[0], "old").clear(),
        *(BaseStateManager(state, f"new {at}").update(b=2) for at, state in enumerate(states[1:])),
    )

    assert sorted(await storage.get_data(KEY)) == sorted(f"draft:new {at}" for at in range(9))


@pytest.mark.parametrize("name", ["self", "key", "value", "state", "fields", "feature_key"])
async def test_d2_a_field_may_have_the_name_of_an_argument(storage: ConversationStorage, name: str) -> None:
    """Names come from payloads, and `self` among them is a TypeError in codex-bot."""
    booking = BaseStateManager(FSMContext(storage, KEY), "booking")
    await booking.set_value(name, 1)
    await booking.update(**{name: 2})

    assert await booking.get_payload() == {name: 2}
    assert await booking.get_value(name) == 2


async def test_d4_nobody_sees_a_state_without_its_data(storage: ConversationStorage, redis: Redis) -> None:
    """aiogram keeps them in two keys and writes one after the other."""
    reading = Reading(GroupedCalls(redis), Keys())
    over = asyncio.Event()
    seen = set()

    async def watch() -> None:
        while not over.is_set():
            found = (await reading.read(CONVERSATION)).fields
            state = found.get(fields.STATE, b"").decode()
            seen.add((state, fields.read_data(found).get("of")))

    watcher = asyncio.create_task(watch())
    for turn in range(200):
        unit = await storage.unit_of_work(CONVERSATION)
        state = f"Shop:{turn % 2}"
        unit.set_state(state)
        unit.set_data({"of": state})
        assert (await storage.commit(unit)).outcome is Committed.COMMITTED
    over.set()
    await watcher

    assert seen - {("", None)} == {("Shop:0", "Shop:0"), ("Shop:1", "Shop:1")}


async def test_d4_what_was_decided_on_an_old_state_is_not_written(storage: ConversationStorage) -> None:
    """Between a look at the state and the write that follows from it, the user has moved on."""
    await storage.set_state(KEY, "Shop:paying")
    unit = await storage.unit_of_work(CONVERSATION)
    assert unit.state == "Shop:paying"
    unit.set_state("Shop:paid")
    await storage.set_state(KEY, "Shop:cancelled")

    assert (await storage.commit(unit)).outcome is Committed.CONFLICT
    assert await storage.get_state(KEY) == "Shop:cancelled"


async def test_d4_a_conversation_that_ended_and_began_anew_is_another_one(
    storage: ConversationStorage,
) -> None:
    """As many changes later it must not look like the one that was decided on."""
    await storage.set_state(KEY, "Shop:paying")
    unit = await storage.unit_of_work(CONVERSATION)
    assert unit.state == "Shop:paying"
    unit.set_state("Shop:paid")
    await storage.set_state(KEY, None)
    await storage.set_state(KEY, "Shop:choosing")

    assert (await storage.commit(unit)).outcome is Committed.CONFLICT
    assert await storage.get_state(KEY) == "Shop:choosing"


async def test_d4_a_conversation_never_comes_to_a_revision_that_it_had(redis: Redis) -> None:
    """However soon it begins anew: Redis makes many changes within a millisecond."""
    scripts = Scripts(GroupedCalls(redis), Keys())
    states: list[str | Literal[False]] = ["Shop:paying", False] * 20
    changes = (Change(conversation=CONVERSATION, ttl_ms=60_000, state=state) for state in states)

    answers = await asyncio.gather(*map(scripts.commit, changes))

    revisions = [answer.revision for answer in answers]
    assert revisions == sorted(set(revisions))


@pytest.mark.parametrize("write", ["state", "data", "draft"])
async def test_d4_no_half_of_a_conversation_expires_before_the_other(
    storage: ConversationStorage, redis: Redis, write: str
) -> None:
    """aiogram renews the half that was written: a user in a state whose data are gone."""
    state = FSMContext(storage, KEY)
    await state.set_state("Shop:paying")
    await state.set_data({"a": 1, "draft:booking": {"hotel_id": 7}})
    name = Keys().conversation(CONVERSATION)
    await redis.pexpire(name, 5_000)

    if write == "state":
        await state.set_state("Shop:paid")
    elif write == "data":
        await state.update_data(b=2)
    else:
        await BaseStateManager(state, "booking").update(nights=2)

    assert await redis.ttl(name) > 100 * 24 * 3600
    assert await redis.keys("*:c:*") == [name.encode()]


async def test_d5_a_field_can_be_removed_and_none_is_a_value(storage: ConversationStorage) -> None:
    """codex-bot's rule that None deletes holds for a whole draft and not for its fields."""
    booking = BaseStateManager(FSMContext(storage, KEY), "booking")
    await booking.update(hotel_id=None, nights=2)
    assert await booking.get_payload() == {"hotel_id": None, "nights": 2}
    assert await booking.get_value("hotel_id", "default") is None

    await booking.delete("hotel_id")
    assert await booking.get_payload() == {"nights": 2}
    await booking.delete("nights")
    assert await storage.get_data(KEY) == {}
