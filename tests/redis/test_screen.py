"""What the user sees: blocks edited in place, garbage gone, Telegram's refusals survived."""

from typing import Any

import orjson
import pytest
from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.filters import Command
from aiogram.fsm.state import State, StatesGroup
from aiogram.methods import Response, TelegramMethod
from aiogram.types import Message

from gateway import Director, Feature, View
from gateway.demo.bot_api import BotApi, FaultKind, Standing
from routers.event import OtherEvent
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run


class Shop(StatesGroup):
    """One state whose messages go, one whose messages stay."""

    paying = State()
    done = State()


def shop() -> Feature:
    """A feature whose events say what to show."""
    feature = Feature("shop", states=Shop, garbage=[Shop.paying])

    @feature.on("shop.show")
    async def show(event: OtherEvent) -> View:
        return View(content=event.object_id)

    @feature.on("shop.pay")
    async def pay(event: OtherEvent, director: Director) -> None:
        await director.state.set_state(Shop.paying)
        director.notice(event.object_id)

    @feature.on("shop.done")
    async def done(event: OtherEvent, director: Director) -> View:
        await director.state.set_state(Shop.done)
        return View(content=event.object_id)

    @feature.chat.message(Command("answer"))
    async def answer(message: Message, director: Director) -> None:
        await director.state.set_state(Shop.paying)
        await message.answer("sent by the handler itself")

    return feature


async def test_a_block_is_edited_in_place(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """One message, however often it changes."""
    await run(shop())
    for text in ("one", "two", "three"):
        await outside.send("shop.show", to=conversation, object_id=text)
        await outside.settled()

    assert api.chats[501].texts() == ["three"]
    assert api.calls.counts() == {"sendMessage": {"ok": 1}, "editMessageText": {"ok": 2}}


async def test_a_message_that_is_gone_is_sent_anew(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The user has deleted it."""
    await run(shop())
    await outside.send("shop.show", to=conversation, object_id="one")
    await outside.settled()
    api.chats[501].messages.clear()

    await outside.send("shop.show", to=conversation, object_id="two")
    await outside.settled()

    assert api.chats[501].texts() == ["two"]


async def test_too_many_requests_are_waited_for_and_not_sent_anew(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot answers a 429 to an edit with a new message."""
    await run(shop())
    await outside.send("shop.show", to=conversation, object_id="one")
    await outside.settled()
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, method="editMessageText", seconds=1)

    await outside.send("shop.show", to=conversation, object_id="two")
    await outside.settled()

    assert api.chats[501].texts() == ["two"]
    assert api.calls.counts()["sendMessage"] == {"ok": 1}


async def test_garbage_goes_when_the_state_is_left(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Whichever event leaves it; the screen stays."""
    await run(shop())
    await outside.send("shop.show", to=conversation, object_id="screen")
    await outside.send("shop.pay", to=conversation, object_id="a notice")
    await outside.settled()
    assert api.chats[501].texts() == ["screen", "a notice"]

    await outside.send("shop.done", to=conversation, object_id="done")
    await outside.settled()

    assert api.chats[501].texts() == ["done"]
    assert len(api.chats[501].deleted_ids) == 1


async def test_a_handlers_own_message_is_garbage_of_its_state_too(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """`message.answer` needs no bookkeeping by the bot's author."""
    await run(shop())
    await outside.update(api.updates.message(501, "/answer"))
    assert api.chats[501].texts() == ["sent by the handler itself"]

    await outside.send("shop.done", to=conversation, object_id="done")
    await outside.settled()

    assert api.chats[501].texts() == ["done"]


async def test_a_user_who_blocked_the_bot_stops_nothing(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The state changes all the same, and nothing stays owed."""
    runtime = await run(shop())
    api.chats[501].standing = Standing.BLOCKED

    await outside.send("shop.done", to=conversation, object_id="done")
    await outside.settled()

    state = await runtime.container.storage.get_state(conversation.storage_key())
    assert (state, api.chats[501].texts()) == (Shop.done.state, [])


async def test_text_that_no_handler_takes_is_deleted_in_a_garbage_state(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The chat stays clean while a button is waited for."""
    await run(shop())
    await outside.send("shop.pay", to=conversation, object_id="a notice")
    await outside.settled()

    await outside.update(api.updates.message(501, "hello?"))

    assert [message["text"] for message in api.chats[501].visible()] == ["a notice"]


async def test_an_answer_that_is_too_new_to_be_read_is_an_answer(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram has done it: the message is not sent again, and is edited and deleted as any other."""
    check_response = BaseSession.check_response

    def newer(
        self: BaseSession, bot: Bot, method: TelegramMethod[Any], status_code: int, content: str
    ) -> Response[Any]:
        answer = orjson.loads(content)
        if isinstance(answer.get("result"), dict) and "message_id" in answer["result"]:
            answer["result"]["entities"] = "of a kind that nobody knows"
        return check_response(self, bot, method, status_code, orjson.dumps(answer).decode())

    monkeypatch.setattr(BaseSession, "check_response", newer)
    await run(shop())
    await outside.send("shop.pay", to=conversation, object_id="goes with the state")
    await outside.send("shop.show", to=conversation, object_id="one")
    await outside.settled()
    assert api.chats[501].texts() == ["goes with the state", "one"]

    await outside.send("shop.done", to=conversation, object_id="two")
    await outside.settled()
    assert api.chats[501].texts() == ["two"]
    done = {"sendMessage": {"ok": 2}, "editMessageText": {"ok": 1}, "deleteMessages": {"ok": 1}}
    assert api.calls.counts() == done
