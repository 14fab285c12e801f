"""Taking garbage away: in batches, whatever Telegram answers, and nothing lost on the way."""

from datetime import timedelta
from typing import Any

import pytest
from aiogram.filters import Command
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message

from gateway import Block, Director, Feature, TimerFired, View
from gateway.demo.bot_api import BotApi, FaultKind
from gateway.runtime import Runtime
from gateway.settings import Settings, TelegramSettings, WorkerSettings
from routers.event import OtherEvent
from state.conversation import Conversation
from state.tally import Tallied, Tally
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until


class _Shop(StatesGroup):
    paying = State()
    done = State()


_BUTTON = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Pay", callback_data="pay")]])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """
    Leases that outlast a busy machine, and a bot that may litter quickly.

    A lost lease has the whole effect done anew, which is right too.
    """
    (bot,) = settings.telegram.bots.values()
    quick = bot.model_copy(update={"sends_per_second": 1000, "allow_paid_broadcast": True})
    return settings.model_copy(
        update={
            "worker": WorkerSettings(lease_seconds=10),
            "telegram": TelegramSettings(bots={"main": quick}),
        }
    )


def _shop() -> Feature:
    feature = Feature("shop", states=_Shop, garbage=[_Shop.paying])

    @feature.on("shop.pay")
    async def pay(event: OtherEvent, director: Director) -> None:
        await director.state.set_state(_Shop.paying)
        for number in range(int(event.object_id)):
            director.notice(Block(f"notice {number}", _BUTTON))

    @feature.on("shop.done")
    async def done(event: OtherEvent, director: Director) -> None:
        await director.state.set_state(_Shop.done)

    return feature


async def _lying_there(runtime: Runtime, outside: Outside, api: BotApi, count: int) -> list[int]:
    """Have the conversation track *count* messages of the bot; return their ids."""
    bot = runtime.container.bot
    async with runtime.container.conversation(bot, 501) as director:
        await director.state.set_state(_Shop.paying)
        ids = []
        for _ in range(count):
            message = await bot.send_message(501, "garbage", reply_markup=_BUTTON)
            director.garbage.track(message)
            ids.append(message.message_id)
    await outside.settled()
    api.calls.clear()
    return ids


async def _leave(outside: Outside, conversation: Conversation) -> None:
    await outside.send("shop.done", to=conversation)
    await outside.settled()


async def _unremoved(outside: Outside) -> int:
    return (await Tally(outside.calls, outside.keys).totals())[Tallied.UNREMOVED]


def _batches(api: BotApi) -> list[int]:
    return [len(call.parameters["message_ids"]) for call in api.calls.of("deleteMessages")]


async def test_d9_two_hundred_and_fifty_messages_go_in_three_calls(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot makes one call for each."""
    await _lying_there(await run(_shop()), outside, api, 250)

    await _leave(outside, conversation)

    assert (_batches(api), api.chats[501].texts()) == ([100, 100, 50], [])


async def test_a_429_between_batches_continues_where_it_stopped(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """What is gone is not deleted again; nothing is forgotten."""
    await _lying_there(await run(_shop()), outside, api, 150)
    api.faults.add(FaultKind.DELAY, method="deleteMessages", seconds=0)
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, method="deleteMessages", seconds=1)

    await _leave(outside, conversation)

    assert (_batches(api), api.chats[501].texts()) == ([100, 50, 50], [])
    assert await _unremoved(outside) == 0


async def test_messages_known_to_be_too_old_only_lose_their_buttons(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """They are not even tried: deleting them would refuse the young ones of their batch."""
    runtime = await run(_shop())
    api.clock.advance(timedelta(hours=-49))
    old = await _lying_there(runtime, outside, api, 2)
    api.clock.advance(timedelta(hours=49))
    young = await _lying_there(runtime, outside, api, 3)

    await _leave(outside, conversation)

    assert [call.parameters["message_ids"] for call in api.calls.of("deleteMessages")] == [young]
    assert list(api.chats[501].messages) == old
    assert [message.keyboard for message in api.chats[501].messages.values()] == [[], []]
    assert await _unremoved(outside) == 2


async def test_what_the_user_has_deleted_is_done(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Neither an error, nor counted, nor tried again."""
    ids = await _lying_there(await run(_shop()), outside, api, 2)
    del api.chats[501].messages[ids[0]]

    await _leave(outside, conversation)

    assert api.chats[501].texts() == []
    assert api.calls.counts() == {"deleteMessages": {"ok": 1}}
    assert await _unremoved(outside) == 0


async def test_d8_what_is_tracked_while_garbage_is_collected_is_not_lost(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot empties the whole list at the end, with what was appended meanwhile."""
    runtime = await run(_shop())
    await _lying_there(runtime, outside, api, 1)
    api.faults.add(FaultKind.DELAY, method="deleteMessages", seconds=0.5)
    await outside.send("shop.done", to=conversation)
    await wait_until(lambda: not api.faults.pending(), description="the deletion is under way")

    (late,) = await _tracked_now(runtime)
    await outside.settled()
    assert list(api.chats[501].messages) == [late]
    await _leave(outside, conversation)

    assert api.chats[501].texts() == []


async def _tracked_now(runtime: Runtime) -> list[int]:
    bot = runtime.container.bot
    async with runtime.container.conversation(bot, 501) as director:
        await director.state.set_state(_Shop.paying)
        message = await bot.send_message(501, "tracked meanwhile")
        director.garbage.track(message)
    return [message.message_id]


async def test_a_message_that_comes_late_for_a_state_already_left_goes_at_once(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Telegram was slow, and the user was quick."""
    await run(_shop())
    api.faults.add(FaultKind.LATE_ANSWER, method="sendMessage", seconds=0.5)
    await outside.send("shop.pay", to=conversation, object_id="1")
    await wait_until(lambda: api.chats[501].texts() == ["notice 0"], description="the notice is there")

    await _leave(outside, conversation)

    assert api.chats[501].texts() == []


async def test_a_late_screen_of_a_state_already_left_becomes_the_next_one(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """It is edited where it stands if the next state shows that block too; only otherwise does it go."""
    feature = _shop()

    @feature.on("shop.screen")
    async def screen(event: OtherEvent, director: Director) -> View:
        await director.state.set_state(_Shop.paying if event.object_id == "pay here" else _Shop.done)
        return View(content=event.object_id)

    await run(feature)
    api.faults.add(FaultKind.LATE_ANSWER, method="sendMessage", seconds=0.4)
    await outside.send("shop.screen", to=conversation, object_id="pay here")
    await wait_until(lambda: api.chats[501].texts() == ["pay here"], description="the screen is there")

    await outside.send("shop.screen", to=conversation, object_id="thank you")
    await outside.settled()

    assert api.chats[501].texts() == ["thank you"]
    assert set(api.calls.counts()) == {"sendMessage", "editMessageText"}


async def test_what_cannot_be_deleted_because_the_chat_is_closed_is_counted(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Message by message, as what is too old is."""
    await _lying_there(await run(_shop()), outside, api, 3)
    await outside.update(api.updates.blocked(501))

    await _leave(outside, conversation)

    assert (len(api.chats[501].texts()), await _unremoved(outside)) == (3, 3)


async def test_a_handlers_own_message_is_tracked_though_its_first_run_failed(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The second run is told of the message that the first one sent, and the commit tracks it."""
    feature, runs = _shop(), []

    @feature.chat.message(Command("pay"))
    async def pay(message: Message, director: Director) -> None:
        await director.state.set_state(_Shop.paying)
        await message.answer("pay here")
        runs.append("run")
        if len(runs) == 1:
            raise RuntimeError

    await run(feature)
    await outside.update(api.updates.message(501, "/pay"))
    assert (api.chats[501].texts(), len(runs)) == (["pay here"], 2)

    await _leave(outside, conversation)

    assert api.chats[501].texts() == []


async def test_whoever_collects_next_finds_what_a_stopped_process_has_left(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The deletion is owed in Redis until Telegram has answered: another process pays it."""
    runtime = await run(_shop())
    await _lying_there(runtime, outside, api, 3)
    assert runtime.worker is not None
    await runtime.worker.stop(timedelta(seconds=5))
    await runtime.container.storage.set_state(conversation.storage_key(), _Shop.done)
    assert len(api.chats[501].texts()) == 3

    await run(_shop())
    await outside.settled()

    assert api.chats[501].texts() == []


CAUSES = ("chat", "webhook", "from outside", "a plain writer", "timer")


@pytest.mark.parametrize("cause", CAUSES)
async def test_garbage_goes_whatever_has_left_the_state(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, cause: str
) -> None:
    """A notice, a handler's own message, one tracked by hand, and the text that the user wrote."""
    feature = _shop()

    @feature.chat.message(Command("pay"))
    async def pay(message: Message, director: Director, bot: Any) -> None:
        await director.state.set_state(_Shop.paying)
        director.notice("a notice")
        await message.answer("an answer")
        director.after("shop.late", minutes=10)

    @feature.chat.message(Command("done"))
    async def done(message: Message, director: Director) -> None:
        await director.state.set_state(_Shop.done)

    @feature.on("shop.late")
    async def late(event: TimerFired, director: Director) -> None:
        await director.state.set_state(_Shop.done)

    runtime = await run(feature)
    await outside.update(api.updates.message(501, "/pay"))
    await outside.update(api.updates.message(501, "chatter"))
    container, key = runtime.container, conversation.storage_key()
    async with container.conversation(container.bot, 501) as director:
        director.garbage.track(await container.bot.send_message(501, "by hand"))
    assert sorted(api.chats[501].texts()) == ["a notice", "an answer", "by hand"]

    match cause:
        case "chat":
            await outside.update(api.updates.message(501, "/done"))
        case "webhook":
            await outside.send("shop.done", to=conversation)
        case "from outside":
            async with container.conversation(container.bot, 501) as director:
                await director.state.set_state(_Shop.done)
        case "a plain writer":
            await container.storage.set_state(key, _Shop.done)
        case "timer":
            async with container.conversation(container.bot, 501) as director:
                director.after("shop.late", seconds=0.05)

    async def left() -> bool:
        return await container.storage.get_state(key) == _Shop.done.state

    await wait_until(left, description="the state is left")
    await outside.settled()
    texts = [message.content.text for message in api.chats[501].messages.values()]
    assert texts == ["/pay"]
