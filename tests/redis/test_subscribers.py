"""Outgoing webhooks: committed with the change, signed, told until they have it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiogram.fsm.state import State, StatesGroup
from aiohttp import web
from pydantic import HttpUrl, SecretStr
from redis.asyncio import Redis
from standardwebhooks.webhooks import Webhook

from gateway import Director, Feature, Gateway
from gateway.runtime import running
from gateway.settings import Settings, SubscriberSettings
from gateway.subscribers import teller
from routers.event import OtherEvent
from state.conversation import Conversation
from state.dead_letters import DeadLetters
from state.outcomes import Replayed
from state.watch import KEEP_OWED_FOR
from tests.redis.conftest import Outside
from tests.waiting import wait_until

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Booking(StatesGroup):
    """The bot's states."""

    choosing = State()
    confirmed = State()


@dataclass
class Crm:
    """A subscriber: what it was told, and how it answers."""

    url: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """One for each call, then 204."""

    async def receive(self, request: web.Request) -> web.Response:
        """Check the signature with the standard's own library, as a subscriber would."""
        body = await request.read()
        word = Webhook(SECRET).verify(body, dict(request.headers))
        self.ids.append(request.headers["webhook-id"])
        status = self.answers.pop(0) if self.answers else 204
        if status == 204:
            self.told.append(word)
        return web.Response(status=status, headers={"Location": self.url})

    @property
    def ways(self) -> list[tuple[str | None, str | None]]:
        """From and to of what it was told."""
        return [(word["data"]["from"], word["data"]["to"]) for word in self.told]


@pytest.fixture
async def crm() -> AsyncIterator[Crm]:
    """It listens on this machine."""
    crm, app = Crm(), web.Application()
    app.router.add_post("/hooks", crm.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    crm.url = f"http://{host}:{port}/hooks"
    yield crm
    await runner.cleanup()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test does not wait for five seconds."""
    monkeypatch.setattr(teller, "FIRST_DELAY", timedelta(seconds=0.02))
    monkeypatch.setattr(teller, "LOOK_EVERY", timedelta(seconds=0.05))


@pytest.fixture
def subscribed(settings: Settings, crm: Crm, soon: None) -> Callable[..., Settings]:
    """Settings in which the subscriber asks for *on*."""
    del soon

    def subscribed(*on: str, **more: Any) -> Settings:
        section = SubscriberSettings.model_validate(
            {"url": HttpUrl(crm.url), "secret": SecretStr(SECRET), "on": on, "allow_private_network": True}
            | more
        )
        return settings.model_copy(update={"subscribers": {"crm": section}})

    return subscribed


def _bot() -> Feature:
    feature = Feature("booking", states=Booking)

    @feature.on("shop.to")
    async def to(event: OtherEvent, director: Director) -> None:
        await director.state.set_state(event.object_id or None)

    return feature


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
    async with running(Gateway(_bot()), subscribed("booking: * -> confirmed"), redis_url):
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
    async with running(Gateway(_bot()), subscribed("* -> Booking:*"), redis_url) as runtime:
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
    async with running(Gateway(_bot()), subscribed("* -> *"), redis_url):
        await outside.send("shop.to", to=conversation, object_id="Booking:choosing")
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")
        await wait_until(lambda: len(crm.told) == 2, description="it has both")

    assert len(set(crm.ids[:4])) == 1
    assert crm.ways == [(None, "Booking:choosing"), ("Booking:choosing", "Booking:confirmed")]


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
    async with running(Gateway(_bot()), settings, redis_url):
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")
        await wait_until(lambda: len(crm.ids) >= 2, description="it was told in vain")

    async with running(Gateway(_bot()), settings, redis_url):
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
    async with running(Gateway(_bot()), subscribed("* -> *", **more), redis_url):
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
    async with running(Gateway(_bot()), subscribed("* -> *", attempts=1), redis_url):
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
        await stack.enter_async_context(running(Gateway(_bot()), private, redis_url))
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")

        async def buried() -> bool:
            return await redis.xlen(dead) == len(sections)

        await wait_until(buried, description="all three are refused")

    letters: Any = await redis.xrange(dead)
    assert all(b"private network" in fields[b"why"] for _, fields in letters)
    assert crm.ids == []


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
    async with running(Gateway(_bot()), subscribed("* -> *"), redis_url):
        await outside.send("shop.to", to=conversation, object_id="Booking:confirmed")
        await wait_until(lambda: len(crm.ids) >= 2, description="it was told in vain")
        lives_ms = [await redis.pttl(owed), await redis.pttl(tries)]

    month_ms = int(KEEP_OWED_FOR.total_seconds() * 1000)
    assert all(month_ms - 60_000 < lives <= month_ms for lives in lives_ms)


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
    async with running(Gateway(_bot()), away, redis_url) as runtime:
        for number in range(20):
            state = "Booking:confirmed" if number % 2 else "Booking:choosing"
            await outside.send("shop.to", to=conversation, object_id=state)
        await outside.settled()

        assert await runtime.container.storage.get_state(conversation.storage_key()) == "Booking:confirmed"
