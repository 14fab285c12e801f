"""Outgoing webhooks: committed with the change, signed, told until they have it."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from pydantic import HttpUrl, SecretStr
from redis.asyncio import Redis

from gateway import Gateway
from gateway.runtime import running
from gateway.settings import Settings, SubscriberSettings
from state.conversation import Conversation
from tests.redis.conftest import Outside
from tests.redis.subscribers.conftest import SECRET, Booking, Crm, booking_bot
from tests.waiting import wait_until


async def test_a_subscriber_is_told_of_the_change_that_it_asked_for(
    subscribed: Callable[..., Settings],
    redis: Redis,
    redis_url: str,
    crm: Crm,
    outside: Outside,
    conversation: Conversation,
) -> None:
    """With who, from, to, and why; other changes are none of its business."""
    del redis
    async with running(Gateway(booking_bot()), subscribed("booking: * -> confirmed"), redis_url):
        await outside.send("shop.to", to=conversation, object_id="Booking:choosing")
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")
        await wait_until(lambda: bool(crm.told), description="the subscriber was told")

    word = crm.told[0]
    assert crm.ways == [("Booking:choosing", "Booking:confirmed")]
    assert word["type"] == "conversation.transition"
    assert word["data"]["user_id"] == conversation.user_id
    assert word["data"]["cause"]["source"] == "service"


async def test_a_change_from_outside_of_any_handler_is_told_too(
    subscribed: Callable[..., Settings], redis: Redis, redis_url: str, crm: Crm, conversation: Conversation
) -> None:
    """A service over REST or `container.conversation` writes through the same script."""
    del redis
    async with running(Gateway(booking_bot()), subscribed("* -> Booking:*"), redis_url) as runtime:
        await runtime.container.storage.set_state(conversation.storage_key(), Booking.choosing)
        await wait_until(lambda: crm.ways == [(None, "Booking:choosing")], description="it was told")


async def test_it_is_told_again_under_the_same_id_until_it_has_it(
    subscribed: Callable[..., Settings],
    redis: Redis,
    redis_url: str,
    crm: Crm,
    outside: Outside,
    conversation: Conversation,
) -> None:
    """Neither an error, nor a redirect, which is not followed, counts as having it."""
    del redis
    crm.answers = [500, 302, 429]
    async with running(Gateway(booking_bot()), subscribed("* -> *"), redis_url):
        await outside.send("shop.to", to=conversation, object_id="Booking:choosing")
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")
        await wait_until(lambda: len(crm.told) == 2, description="it has both")

    assert len(set(crm.ids[:4])) == 1
    assert crm.ways == [(None, "Booking:choosing"), ("Booking:choosing", "Booking:confirmed")]


async def test_an_address_in_a_private_network_is_never_called(
    settings: Settings,
    redis: Redis,
    redis_url: str,
    crm: Crm,
    outside: Outside,
    conversation: Conversation,
    soon: None,
) -> None:
    """By its name or by its number: a subscriber must not reach what stands behind our firewall."""
    del soon
    port = crm.url.rpartition(":")[2].partition("/")[0]
    sections = {
        name: SubscriberSettings(
            url=HttpUrl(f"https://{host}:{port}/hooks"), secret=SecretStr(SECRET), on=("* -> *",)
        )
        for name, host in (("number", "127.0.0.1"), ("name", "localhost"), ("six", "[::1]"))
    }
    dead = outside.keys.dead(outside.keys.partition_of(conversation))
    private = settings.model_copy(update={"subscribers": sections})
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(Gateway(booking_bot()), private, redis_url))
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")

        async def buried() -> bool:
            return await redis.xlen(dead) == len(sections)

        await wait_until(buried, description="all three are refused")

    letters: Any = await redis.xrange(dead)
    assert all(b"private network" in fields[b"why"] for _, fields in letters)
    assert crm.ids == []


async def test_bots_and_chats_go_on_while_a_subscriber_is_away(
    subscribed: Callable[..., Settings],
    redis: Redis,
    redis_url: str,
    outside: Outside,
    conversation: Conversation,
) -> None:
    """What it is owed waits in a log of its own."""
    del redis
    away = subscribed("* -> *", url="http://127.0.0.1:9/hooks")
    async with running(Gateway(booking_bot()), away, redis_url) as runtime:
        for number in range(20):
            state = "Booking:confirmed" if number % 2 else "Booking:choosing"
            await outside.send("shop.to", to=conversation, object_id=state)
        await outside.settled()

        assert await runtime.container.storage.get_state(conversation.storage_key()) == "Booking:confirmed"
