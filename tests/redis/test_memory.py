"""What a conversation takes of Redis's memory."""

import pytest
from aiogram.fsm.context import FSMContext
from redis.asyncio import Redis

from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation
from state.keys import Keys
from tests.benchmarks.memory import taken

CONVERSATION = Conversation.private(42, 501)
KEY = Keys().conversation(CONVERSATION)


async def test_a_typical_conversation_takes_less_than_a_kilobyte(redis: Redis) -> None:
    """State, three features of five fields, a screen; with its key, its expiry and its place in the index."""
    each = await taken(redis, 2_000)

    assert each.hash_bytes < 700
    assert each.all_bytes < 1_024


@pytest.mark.parametrize("order", ["the small one first", "the large one first"])
async def test_a_conversation_of_many_fields_is_indexed_without_losing_a_name(
    redis: Redis, order: str
) -> None:
    """The index of drafts comes when it pays, finds what was there before, and follows each change."""
    state = FSMContext(ConversationStorage(redis), CONVERSATION.storage_key())
    small, large = BaseStateManager(state, "a:small"), BaseStateManager(state, "large")
    many = {f"field:{number}": number for number in range(100)}
    if order == "the small one first":
        await small.update(one=1, two=2)
        assert await redis.hexists(KEY, "i") is False
        await large.update(**many)
    else:
        await large.update(**many)
        await small.update(one=1, two=2)
    assert await redis.hexists(KEY, "i") is True

    assert await small.update(three=3) == {"one": 1, "two": 2, "three": 3}
    await small.delete("one")
    assert await small.get_payload() == {"two": 2, "three": 3}
    assert await large.get_payload() == many
    await large.clear()
    assert await state.get_data() == {"draft:a:small": {"two": 2, "three": 3}}
    assert await small.update(one=1) == {"two": 2, "three": 3, "one": 1}
    await small.clear()

    assert await redis.exists(KEY) == 0


async def test_plain_data_makes_a_conversation_large_too(redis: Redis) -> None:
    """A draft that was there before is found by its index afterwards."""
    state = FSMContext(ConversationStorage(redis), CONVERSATION.storage_key())
    small = BaseStateManager(state, "small")
    await small.update(one=1)
    await state.update_data({f"key{number}": number for number in range(100)})

    assert await redis.hexists(KEY, "i:small") is True
    assert await small.get_payload() == {"one": 1}
    await state.clear()

    assert await redis.exists(KEY) == 0
