"""A group that becomes a supergroup takes its conversations along, whoever tells of it and whoever dies."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiogram import F
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import Message
from redis.asyncio import Redis

from gateway import Director, Feature, View, park
from gateway.answers import Outcome
from gateway.demo.bot_api import BotApi, ChatType
from gateway.runtime import Runtime
from gateway.settings import Settings, WorkerSettings
from routers.event import OtherEvent
from state import BaseStateManager
from state.conversation import Conversation
from state.envelope import Envelope
from state.expectations import Expectation
from state.standings import Outcomes, Standing
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until

GROUP, SUPERGROUP = -5, -1001234
OLD, NEW = Conversation(42, GROUP, 501), Conversation(42, SUPERGROUP, 501)


class _Shop(StatesGroup):
    choosing = State()
    paying = State()
    paid = State()


class _Basket(BaseStateManager):
    feature_key = "shop"


def _shop() -> Feature:
    feature = Feature("shop", states=_Shop)

    @feature.chat.message(Command("buy"))
    async def buy(message: Message, director: Director) -> View:
        await director.state.set_state(_Shop.paying)
        await _Basket(director.state).update(room=7)
        return View(content="pay, please")

    @feature.chat.message(_Shop.paying, F.text)
    async def talk(message: Message, state: FSMContext) -> View:
        basket = _Basket(state)
        await basket.append("said", message.text)
        return View(content=f"room {await basket.get_value('room')}: {message.text}")

    @feature.on("shop.paid", state=_Shop.paying, otherwise=park(hours=1))
    async def paid(event: OtherEvent, director: Director) -> View:
        await director.state.set_state(_Shop.paid)
        return View(content="paid")

    @feature.on("shop.expired")
    async def expired(event: OtherEvent, director: Director) -> View:
        return View(content=f"expired in {await director.state.get_state()}")

    return feature


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a lease that a busy machine does not lose."""
    return settings.model_copy(update={"worker": WorkerSettings(lease_seconds=60)})


@pytest.fixture
async def shop(run: Run, api: BotApi) -> Runtime:
    """The shop's bot, in a group."""
    api.chats.open(GROUP, ChatType.GROUP)
    return await run(_shop())


def _says(api: BotApi, chat_id: int, **content: Any) -> Mapping[str, Any]:
    """What Telegram sends when user 501 writes, or the chat itself says something."""
    update: dict[str, Any] = api.updates.message(chat_id, "", user_id=501)
    del update["message"]["text"]
    update["message"].update(content)
    return update


async def _state(runtime: Runtime, conversation: Conversation) -> tuple[str | None, dict[str, Any]]:
    storage = runtime.container.storage
    key = conversation.storage_key()
    return await storage.get_state(key), await storage.get_data(key)


@pytest.mark.parametrize(
    "chat_id, word",
    [(GROUP, {"migrate_to_chat_id": SUPERGROUP}), (SUPERGROUP, {"migrate_from_chat_id": GROUP})],
    ids=["told in the group", "told in the supergroup"],
)
async def test_the_word_of_it_takes_state_and_drafts_along(
    shop: Runtime, outside: Outside, api: BotApi, chat_id: int, word: dict[str, int]
) -> None:
    """Whichever of Telegram's two messages comes, the user goes on where they were, without asking anew."""
    await outside.update(_says(api, GROUP, text="/buy"))
    before = await _state(shop, OLD)
    api.chats.migrate(GROUP, SUPERGROUP)

    await outside.update(_says(api, chat_id, **word))

    assert await _state(shop, NEW) == before == (_Shop.paying.state, {"draft:shop": {"room": 7}})
    assert await _state(shop, OLD) == (None, {})
    await outside.update(_says(api, SUPERGROUP, text="hello"))
    assert api.chats[SUPERGROUP].texts() == ["room 7: hello"]


async def test_a_refusal_is_word_enough(shop: Runtime, outside: Outside, api: BotApi) -> None:
    """Nobody told of it: the first view that is refused moves the group, and the next one edits it there."""
    state = FSMContext(shop.container.storage, OLD.storage_key())
    await state.set_state(_Shop.paying)
    await _Basket(state).update(room=7)
    api.chats.migrate(GROUP, SUPERGROUP)

    await outside.send("shop.paid", to=OLD)
    await outside.settled()
    assert await _state(shop, NEW) == (_Shop.paid.state, {"draft:shop": {"room": 7}})
    await outside.send("shop.expired", to=NEW)
    await outside.settled()

    assert await _state(shop, NEW) == (_Shop.paid.state, {"draft:shop": {"room": 7}})
    assert api.chats[SUPERGROUP].texts() == [f"expired in {_Shop.paid.state}"]


async def test_events_for_the_old_id_reach_the_conversation(
    shop: Runtime, outside: Outside, api: BotApi
) -> None:
    """A payment under a token from before, a service that knows the old id, a late message: all of them."""
    await outside.update(_says(api, GROUP, text="/buy"))
    storage = shop.container.storage
    unit = await storage.unit_of_work(OLD)
    token = unit.new_token()
    unit.expect(Expectation(token, "shop", "payment", "the room"))
    await storage.commit(unit)
    api.chats.migrate(GROUP, SUPERGROUP)
    await outside.update(_says(api, GROUP, migrate_to_chat_id=SUPERGROUP))

    await outside.update(_says(api, GROUP, text="before it moved"))
    await outside.send("shop.paid", to=None, token=token)
    await outside.settled()

    state, data = await _state(shop, NEW)
    assert (state, data["draft:shop"]["said"]) == (_Shop.paid.state, ["before it moved"])
    assert api.chats[SUPERGROUP].texts() == ["paid"]
    assert await _state(shop, OLD) == (None, {})


async def test_whoever_sent_an_event_to_the_old_id_learns_how_it_ended(
    shop: Runtime, outside: Outside, api: BotApi
) -> None:
    """The id that it got for the event still answers."""
    await outside.update(_says(api, GROUP, text="/buy"))
    await shop.container.storage.migrations.note(42, GROUP, SUPERGROUP)

    await outside.send("shop.paid", to=OLD)
    seen = await outside.calls.command(
        "GET", outside.keys.seen(outside.keys.partition_of(OLD), "service", "1")
    )
    await outside.settled()

    event_id = f"{outside.keys.partition_of(OLD):02x}-{seen.decode()}"
    outcome = await Outcomes(outside.calls, outside.keys).of(event_id)
    assert outcome is not None
    assert (outcome.standing, outcome.conversation) == (Standing.APPLIED, NEW)
    assert outcome.accepted_at_ms == int(seen.partition(b"-")[0])


async def test_a_parked_event_goes_along(shop: Runtime, outside: Outside, api: BotApi) -> None:
    """It waited in the group for a state that the user comes to in the supergroup."""
    parked = outside.keys.parked(outside.keys.partition_of(OLD))

    async def count() -> int:
        return int(await outside.calls.command("ZCARD", parked))

    async def is_parked() -> bool:
        return await count() == 1

    async def is_known() -> bool:
        return bool(await outside.calls.command("EXISTS", outside.keys.moved(OLD)))

    await outside.send("shop.paid", to=OLD)
    await wait_until(is_parked, description="the payment is parked", seconds=20)
    api.chats.migrate(GROUP, SUPERGROUP)
    await outside.accept(_says(api, GROUP, migrate_to_chat_id=SUPERGROUP))
    await wait_until(is_known, description="the move is known", seconds=20)
    await outside.update(_says(api, SUPERGROUP, text="/buy"))

    assert (await _state(shop, NEW))[0] == _Shop.paid.state
    assert await count() == 0


async def test_the_first_message_in_the_supergroup_finds_what_was_left_for_it(
    shop: Runtime, outside: Outside, api: BotApi
) -> None:
    """Whoever wrote under the old id after the move was known: the message is handled in that state."""
    api.chats.migrate(GROUP, SUPERGROUP)
    await outside.update(_says(api, GROUP, migrate_to_chat_id=SUPERGROUP))
    state = FSMContext(shop.container.storage, OLD.storage_key())
    await state.set_state(_Shop.paying)
    await _Basket(state).update(room=7)

    await _accept_here(shop, NEW, _says(api, SUPERGROUP, text="hello"))
    await outside.settled()

    assert api.chats[SUPERGROUP].texts() == ["room 7: hello"]


async def test_a_group_that_moves_while_a_handler_runs_is_handled_where_it_is_then(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """What was read before the move is not written after it: nothing would look for it under the old id."""
    feature, ran = Feature("shop", states=_Shop), []

    @feature.chat.message()
    async def talk(message: Message, director: Director) -> View:
        ran.append(director.conversation)
        if len(ran) == 1:
            api.chats.migrate(GROUP, SUPERGROUP)
            await runtime.container.storage.migrations.note(42, GROUP, SUPERGROUP)
        await director.state.set_state(_Shop.paying)
        return View(content="pay, please")

    api.chats.open(GROUP, ChatType.GROUP)
    runtime = await run(feature)
    await _accept_here(runtime, OLD, _says(api, GROUP, text="hello"))
    await outside.settled()

    assert ran == [OLD, NEW]
    assert await _state(runtime, NEW) == (_Shop.paying.state, {})
    assert await outside.calls.command("EXISTS", outside.keys.conversation(OLD)) == 0
    assert api.chats[SUPERGROUP].texts() == ["pay, please"]


async def test_an_event_of_a_group_is_not_asked_about_a_second_time(
    shop: Runtime, outside: Outside, api: BotApi, redis: Redis
) -> None:
    """Its acceptance has looked whether the group has moved, and its commit looks again."""

    async def questions() -> int:
        return int((await redis.info("commandstats"))["cmdstat_mget"]["calls"])

    async def goes_unasked() -> bool:
        before = await questions()
        await _accept_here(shop, OLD, _says(api, GROUP, text="hello"))
        await outside.settled()
        return await questions() == before

    await outside.update(_says(api, GROUP, text="/buy"))
    # An event that comes while another one of its conversation ends is asked about.
    await wait_until(goes_unasked, description="an event is not asked about")

    assert api.chats[GROUP].texts() == ["room 7: hello"]


async def _accept_here(runtime: Runtime, conversation: Conversation, update: Mapping[str, Any]) -> None:
    """By the running gateway's own inbox, which begins the run together with the acceptance."""
    key = str(update["update_id"])
    envelope = Envelope(
        "telegram:42", "telegram.message", key, 0, orjson.dumps(update), conversation=conversation
    )
    await runtime.edge.inbox.accept(envelope, remember_for=timedelta(hours=1))


async def test_code_outside_of_handlers_may_go_on_with_the_old_id(
    shop: Runtime, outside: Outside, api: BotApi
) -> None:
    """`container.conversation` and the view sender find the conversation where it is now."""
    await outside.update(_says(api, GROUP, text="/buy"))
    api.chats.migrate(GROUP, SUPERGROUP)
    await outside.update(_says(api, GROUP, migrate_to_chat_id=SUPERGROUP))
    container = shop.container

    async with container.conversation(container.bot, 501, chat_id=GROUP) as director:
        assert director.conversation == NEW
        assert await director.state.get_state() == _Shop.paying.state
        await director.state.set_state(_Shop.choosing)
    answer = await container.view_sender.send(OLD, View(content="choose"), wait=timedelta(seconds=30))

    assert answer.outcome is Outcome.DONE
    assert api.chats[SUPERGROUP].texts() == ["choose"]
    assert (await _state(shop, NEW))[0] == _Shop.choosing.state
    assert await _state(shop, OLD) == (None, {})
