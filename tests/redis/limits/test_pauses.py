"""A 429 is honoured where it belongs: in one chat, or by the whole bot."""

from datetime import timedelta

from aiogram.methods import SendMessage

from gateway.demo.bot_api import BotApi, FaultKind
from routers.event import OtherEvent
from state.budgets import Budgets
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run
from tests.redis.limits.conftest import shop, user_chat
from tests.waiting import wait_until


async def test_a_429_of_a_busy_chat_pauses_this_chat_only(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Others go on, and the chat's own view comes when its time is over."""
    await run(shop())
    api.chats.open(502)
    await outside.send("shop.show", to=conversation, object_id="one")
    await outside.settled()
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, chat_id=501, seconds=3)
    await outside.send("shop.show", to=conversation, object_id="two")
    pause = outside.keys.pause(conversation)

    async def paused() -> bool:
        return bool(await outside.calls.command("EXISTS", pause))

    await wait_until(paused, description="the chat is paused")
    await outside.send("shop.show", to=user_chat(502), object_id="other")
    await wait_until(lambda: api.chats[502].texts() == ["other"], description="the other chat is served")

    assert await paused()
    assert api.chats[501].texts() == ["one"]
    await outside.settled()
    assert api.chats[501].texts() == ["two"]


async def test_a_429_of_another_chat_that_a_call_is_about_pauses_that_one(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """An administrator who is told too much must not stop the bot for everybody."""
    feature = shop()

    @feature.on("shop.tell")
    async def tell(event: OtherEvent) -> SendMessage:
        return SendMessage(chat_id=900, text=event.object_id)

    await run(feature)
    api.chats.open(900)
    await outside.send("shop.tell", to=user_chat(502), object_id="one")
    await outside.settled()
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, chat_id=900, seconds=3)
    await outside.send("shop.tell", to=user_chat(502), object_id="two")
    await wait_until(lambda: not api.faults.pending(), description="Telegram has refused it")

    await outside.send("shop.show", to=conversation, object_id="for a customer")
    await wait_until(lambda: api.chats[501].texts() == ["for a customer"], description="others are served")

    assert api.chats[900].texts() == ["one"]
    await outside.settled()
    assert api.chats[900].texts() == ["one", "two"]


async def test_a_429_of_a_channel_that_a_call_names_does_not_pause_the_bot(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """What goes to ``@news`` is not counted here; that the channel has had enough stops no others."""
    feature = shop()

    @feature.on("shop.tell")
    async def tell(event: OtherEvent) -> SendMessage:
        return SendMessage(chat_id="@news", text=event.object_id)

    await run(feature)
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, method="sendMessage", seconds=3)
    await outside.send("shop.tell", to=user_chat(502), object_id="news")
    await wait_until(lambda: not api.faults.pending(), description="Telegram has refused it")

    await outside.send("shop.show", to=conversation, object_id="for a customer")
    await wait_until(lambda: api.chats[501].texts() == ["for a customer"], description="others are served")

    assert len(api.calls.of(method="sendMessage")) == 2
    await outside.settled()
    assert len(api.calls.of(method="sendMessage")) == 3


async def test_a_429_of_a_quiet_chat_pauses_the_bot_in_every_process(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Nothing was sent to that chat before: it is the bot that sends too much."""
    await run(shop())
    await run(shop())
    others = range(600, 620)
    for user in others:
        api.chats.open(user)
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, chat_id=501, seconds=1)
    await outside.send("shop.show", to=conversation, object_id="first")
    pause = outside.keys.bot_pause(42)

    async def paused() -> bool:
        return bool(await outside.calls.command("EXISTS", pause))

    await wait_until(paused, description="the bot is paused")
    for user in others:
        await outside.send("shop.show", to=user_chat(user), object_id="other")
    await outside.settled()

    refused, *sent = api.calls.of("sendMessage")
    assert (refused.error_code, len(sent)) == (429, 21)
    assert min(call.at for call in sent) - refused.at > 0.9


async def test_a_pressed_button_is_answered_while_its_chat_is_paused(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """An answer is no message; the spinner must not turn until the pause is over."""
    await run(shop())
    await outside.send("shop.show", to=conversation, object_id="one")
    await outside.settled()
    (message_id,) = api.chats[501].messages
    await Budgets(outside.scripts).pause_chat(conversation, timedelta(seconds=30))
    await outside.send("shop.show", to=conversation, object_id="two")

    press = api.updates.press(501, message_id, "press")
    await outside.accept(press)

    await wait_until(lambda: bool(api.account.queries.all()[0].answers), description="the press is answered")
    assert api.chats[501].texts() == ["one"]
