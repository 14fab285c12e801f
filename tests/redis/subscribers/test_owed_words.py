"""What a subscriber could not be told: it waits, is told later, or becomes a dead letter."""

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway import Gateway
from gateway.runtime import running
from gateway.settings import Settings
from state.conversation import Conversation
from state.dead_letters import DeadLetters
from state.outcomes import Replayed
from state.watch import KEEP_OWED_FOR
from tests.redis.conftest import Outside
from tests.redis.subscribers.conftest import SECRET, Crm, booking_bot
from tests.waiting import wait_until


async def test_what_it_is_owed_survives_a_restart(
    subscribed: Callable[..., Settings],
    redis: Redis,
    redis_url: str,
    crm: Crm,
    outside: Outside,
    conversation: Conversation,
) -> None:
    """The word was committed with the change; whoever comes next tells it."""
    crm.answers = [503] * 3
    settings = subscribed("* -> *")
    async with running(Gateway(booking_bot()), settings, redis_url):
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")
        await wait_until(lambda: len(crm.ids) >= 2, description="it was told in vain")

    async with running(Gateway(booking_bot()), settings, redis_url):
        await wait_until(lambda: len(crm.told) == 1, description="it has it")

    partition = outside.keys.partition_of(conversation)
    assert await redis.exists(
        outside.keys.owed_to(partition, "crm"), outside.keys.tries(partition, "crm")
    ) in (0, 1)
    assert await redis.xlen(outside.keys.owed_to(partition, "crm")) == 0


@pytest.mark.parametrize("answers, more", [([410], {}), ([500, 500], {"attempts": 2})])
async def test_what_it_will_never_have_becomes_a_dead_letter(
    subscribed: Callable[..., Settings],
    redis: Redis,
    redis_url: str,
    crm: Crm,
    outside: Outside,
    conversation: Conversation,
    answers: list[int],
    more: dict[str, Any],
) -> None:
    """It says that it is gone, or all attempts are over; the body is kept for a person to look at."""
    crm.answers = list(answers)
    dead = outside.keys.dead(outside.keys.partition_of(conversation))
    async with running(Gateway(booking_bot()), subscribed("* -> *", **more), redis_url):
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")

        async def buried() -> bool:
            return bool(await redis.xlen(dead))

        await wait_until(buried, description="it is a dead letter")

    letters: Any = await redis.xrange(dead)
    letter = letters[0][1]
    assert b"conversation.transition" in letter[b"e"]
    assert f"answered {answers[-1]}".encode() in letter[b"why"]
    assert SECRET.encode() not in letter[b"e"] + letter[b"why"]


async def test_a_dead_word_is_told_again_when_it_is_replayed(
    subscribed: Callable[..., Settings],
    redis: Redis,
    redis_url: str,
    crm: Crm,
    outside: Outside,
    conversation: Conversation,
) -> None:
    """Under the id that it had, so that a subscriber who has it after all knows it."""
    crm.answers = [500]
    dead = outside.keys.dead(outside.keys.partition_of(conversation))
    async with running(Gateway(booking_bot()), subscribed("* -> *", attempts=1), redis_url):
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")

        async def buried() -> bool:
            return bool(await redis.xlen(dead))

        await wait_until(buried, description="it is a dead letter")
        letters = DeadLetters(outside.scripts)
        (letter,) = (await letters.page()).events
        replayed = [await letters.replay(letter.id), await letters.replay(letter.id)]
        await wait_until(lambda: len(crm.told) == 1, description="it was told after all")

    assert replayed == [Replayed.REPLAYED, Replayed.GONE]
    assert len(crm.ids) == 2
    assert len(set(crm.ids)) == 1


async def test_what_a_removed_subscriber_is_owed_does_not_stay_for_ever(
    subscribed: Callable[..., Settings],
    redis: Redis,
    redis_url: str,
    crm: Crm,
    outside: Outside,
    conversation: Conversation,
) -> None:
    """Each word and each attempt prolongs it; then it goes."""
    crm.answers = [500] * 100
    partition = outside.keys.partition_of(conversation)
    owed, tries = outside.keys.owed_to(partition, "crm"), outside.keys.tries(partition, "crm")
    async with running(Gateway(booking_bot()), subscribed("* -> *"), redis_url):
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")
        await wait_until(lambda: len(crm.ids) >= 2, description="it was told in vain")
        lives_ms = [await redis.pttl(owed), await redis.pttl(tries)]

    month_ms = int(KEEP_OWED_FOR.total_seconds() * 1000)
    assert all(month_ms - 60_000 < lives <= month_ms for lives in lives_ms)
