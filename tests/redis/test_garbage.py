"""The garbage collector, held to codex-bot's defects."""

from datetime import timedelta

from aiogram.filters import Command
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message

from gateway import Block, Director, Feature, IsGarbageStateFilter, View
from gateway.demo.bot_api import BotApi, FaultKind
from routers.event import OtherEvent
from state.conversation import Conversation
from state.garbage import GarbageStateRegistry
from tests.redis.conftest import Outside, Run


class _Shop(StatesGroup):
    paying = State()
    done = State()

    class Inner(StatesGroup):
        """A nested group."""

        waiting = State()


class _Legacy(StatesGroup):
    paying = State()


def _shop() -> Feature:
    feature = Feature("shop", states=_Shop, garbage=[_Shop.paying])

    @feature.on("shop.pay")
    async def pay(event: OtherEvent, director: Director) -> View:
        await director.state.set_state(_Shop.paying)
        for number in range(int(event.object_id)):
            director.notice(f"notice {number}")
        return View(content="pay here")

    @feature.chat.message(Command("tell"))
    async def tell(message: Message, director: Director) -> None:
        await message.answer("kept clean")
        assert director.bot is not None
        await director.bot.send_message(900, "to the administrator")

    return feature


async def test_d6_leaving_a_garbage_state_without_a_new_view_deletes_all_of_it(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot only promises it. Here a plain writer of the storage leaves; notices and content block go."""
    runtime = await run(_shop())
    await outside.send("shop.pay", to=conversation, object_id="2")
    await outside.settled()
    assert api.chats[501].texts() == ["notice 0", "notice 1", "pay here"]

    await runtime.container.storage.set_state(conversation.storage_key(), _Shop.done)
    await outside.settled()

    assert api.chats[501].texts() == []


async def test_d7_after_429_nothing_is_lost(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot swallows the 429 and forgets the ids."""
    runtime = await run(_shop())
    await outside.send("shop.pay", to=conversation, object_id="2")
    await outside.settled()
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, method="deleteMessages", seconds=1)

    await runtime.container.storage.set_state(conversation.storage_key(), _Shop.done)
    await outside.settled()

    assert api.chats[501].texts() == []


async def test_d9_messages_older_than_48_hours_lose_their_buttons_and_are_counted(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The young ones are deleted in one call all the same."""
    runtime = await run(_shop())
    await outside.send("shop.pay", to=conversation, object_id="2")
    await outside.settled()
    api.clock.advance(timedelta(hours=49))

    await runtime.container.storage.set_state(conversation.storage_key(), _Shop.done)
    await outside.settled()

    tally = outside.keys.tally(outside.keys.partition_of(conversation))
    assert len(api.chats[501].texts()) == 3
    assert await outside.scripts.calls.command("HGET", tally, "unremoved") == b"3"


def test_d10_the_registry_takes_nested_groups_and_any_iterable_and_is_a_gateways_own() -> None:
    """codex-bot misses nested groups, ignores generators, and shares one set among all bots."""
    one, other = GarbageStateRegistry(_Shop), GarbageStateRegistry(state for state in [_Shop.paying])

    assert one.registered_states() == {"_Shop:paying", "_Shop:done", "_Shop.Inner:waiting"}
    assert other.registered_states() == {"_Shop:paying"}


def test_codex_bots_form_on_the_class_works_too() -> None:
    """One registry of the whole process, apart from every gateway's own."""
    GarbageStateRegistry.register("Legacy:state")

    assert GarbageStateRegistry.is_garbage("Legacy:state")
    assert not GarbageStateRegistry().is_garbage("Legacy:state")


async def test_a_state_registered_on_the_class_is_a_garbage_state_of_a_running_gateway(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """As codex-bot's bots have it, with no word of it in the feature; its filter lets their updates pass."""
    feature, passed = Feature("legacy", states=_Legacy), []
    GarbageStateRegistry.register(_Legacy)

    @feature.on("legacy.pay")
    async def pay(event: OtherEvent, director: Director) -> None:
        await director.state.set_state(_Legacy.paying)
        director.notice("pay here")

    @feature.chat.message(IsGarbageStateFilter())
    async def chatter(message: Message) -> None:
        passed.append(message.text)

    runtime = await run(feature)
    await outside.update(api.updates.message(501, "before"))
    await outside.send("legacy.pay", to=conversation)
    await outside.settled()
    await outside.update(api.updates.message(501, "meanwhile"))
    assert [message["text"] for message in api.chats[501].visible()] == ["before", "pay here"]

    await runtime.container.storage.set_state(conversation.storage_key(), None)
    await outside.settled()

    assert (api.chats[501].texts(), passed) == ([], ["meanwhile"])


async def test_what_a_handler_tells_somebody_else_is_not_garbage(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Its answer goes and so does the user's text; the administrator keeps theirs."""
    api.chats.open(900)
    runtime = await run(_shop())
    await outside.send("shop.pay", to=conversation, object_id="0")
    await outside.settled()
    await outside.update(api.updates.message(501, "/tell"))
    assert [message["text"] for message in api.chats[501].visible()] == ["pay here", "kept clean"]

    await runtime.container.storage.set_state(conversation.storage_key(), _Shop.done)
    await outside.settled()

    assert (api.chats[501].texts(), api.chats[900].texts()) == ([], ["to the administrator"])


async def test_a_press_on_an_expired_screen_is_answered(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Not with silence, and a spinner that turns for ever."""
    sender = (await run(_shop())).container.view_sender
    button = InlineKeyboardButton(text="Old", callback_data="old")
    block = Block("old screen", InlineKeyboardMarkup(inline_keyboard=[[button]]))
    await sender.send(conversation, View(content=block))
    (message_id,) = api.chats[501].messages

    await outside.update(api.updates.press(501, message_id, "old"))

    (query,) = api.account.queries.all()
    assert query.answers == [{"text": "This has expired.", "show_alert": True, "url": ""}]
