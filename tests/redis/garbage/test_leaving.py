"""Garbage goes whatever has left the state, and whenever its message came."""

from typing import Any

import pytest
from aiogram.filters import Command
from aiogram.types import Message

from gateway import Director, TimerFired, View
from gateway.demo.bot_api import BotApi, FaultKind
from gateway.runtime import Runtime
from routers.event import OtherEvent
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run
from tests.redis.garbage.conftest import Shop, leave, lying_there, shop
from tests.waiting import wait_until


async def test_d8_what_is_tracked_while_garbage_is_collected_is_not_lost(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot empties the whole list at the end, with what was appended meanwhile."""
    runtime = await run(shop())
    await lying_there(runtime, outside, api, 1)
    api.faults.add(FaultKind.DELAY, method="deleteMessages", seconds=0.5)
    await outside.send("shop.done", to=conversation)
    await wait_until(lambda: not api.faults.pending(), description="the deletion is under way")

    (late,) = await _tracked_now(runtime)
    await outside.settled()
    assert list(api.chats[501].messages) == [late]
    await leave(outside, conversation)

    assert api.chats[501].texts() == []


async def _tracked_now(runtime: Runtime) -> list[int]:
    bot = runtime.container.bot
    async with runtime.container.conversation(bot, 501) as director:
        await director.state.set_state(Shop.paying)
        message = await bot.send_message(501, "tracked meanwhile")
        director.garbage.track(message)
    return [message.message_id]


async def test_a_message_that_comes_late_for_a_state_already_left_goes_at_once(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Telegram was slow, and the user was quick."""
    await run(shop())
    api.faults.add(FaultKind.LATE_ANSWER, method="sendMessage", seconds=0.5)
    await outside.send("shop.pay", to=conversation, object_id="1")
    await wait_until(lambda: api.chats[501].texts() == ["notice 0"], description="the notice is there")

    await leave(outside, conversation)

    assert api.chats[501].texts() == []


async def test_a_late_screen_of_a_state_already_left_becomes_the_next_one(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """It is edited where it stands if the next state shows that block too; only otherwise does it go."""
    feature = shop()

    @feature.on("shop.screen")
    async def screen(event: OtherEvent, director: Director) -> View:
        await director.state.set_state(Shop.paying if event.object_id == "pay here" else Shop.done)
        return View(content=event.object_id)

    await run(feature)
    api.faults.add(FaultKind.LATE_ANSWER, method="sendMessage", seconds=0.4)
    await outside.send("shop.screen", to=conversation, object_id="pay here")
    await wait_until(lambda: api.chats[501].texts() == ["pay here"], description="the screen is there")

    await outside.send("shop.screen", to=conversation, object_id="thank you")
    await outside.settled()

    assert api.chats[501].texts() == ["thank you"]
    assert set(api.calls.counts()) == {"sendMessage", "editMessageText"}


async def test_a_handlers_own_message_is_tracked_though_its_first_run_failed(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The second run is told of the message that the first one sent, and the commit tracks it."""
    feature, runs = shop(), []

    @feature.chat.message(Command("pay"))
    async def pay(message: Message, director: Director) -> None:
        await director.state.set_state(Shop.paying)
        await message.answer("pay here")
        runs.append("run")
        if len(runs) == 1:
            raise RuntimeError

    await run(feature)
    await outside.update(api.updates.message(501, "/pay"))
    assert (api.chats[501].texts(), len(runs)) == (["pay here"], 2)

    await leave(outside, conversation)

    assert api.chats[501].texts() == []


CAUSES = ("chat", "webhook", "from outside", "a plain writer", "timer")


@pytest.mark.parametrize("cause", CAUSES)
async def test_garbage_goes_whatever_has_left_the_state(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, cause: str
) -> None:
    """A notice, a handler's own message, one tracked by hand, and the text that the user wrote."""
    feature = shop()

    @feature.chat.message(Command("pay"))
    async def pay(message: Message, director: Director, bot: Any) -> None:
        await director.state.set_state(Shop.paying)
        director.notice("a notice")
        await message.answer("an answer")
        director.after("shop.late", minutes=10)

    @feature.chat.message(Command("done"))
    async def done(message: Message, director: Director) -> None:
        await director.state.set_state(Shop.done)

    @feature.on("shop.late")
    async def late(event: TimerFired, director: Director) -> None:
        await director.state.set_state(Shop.done)

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
                await director.state.set_state(Shop.done)
        case "a plain writer":
            await container.storage.set_state(key, Shop.done)
        case "timer":
            async with container.conversation(container.bot, 501) as director:
                director.after("shop.late", seconds=0.05)

    async def left() -> bool:
        return await container.storage.get_state(key) == Shop.done.state

    await wait_until(left, description="the state is left")
    await outside.settled()
    texts = [message.content.text for message in api.chats[501].messages.values()]
    assert texts == ["/pay"]
