"""Chats that take nothing any more, and groups that have moved."""

from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command
from aiogram.fsm.state import State, StatesGroup
from aiogram.methods import Response, SendMessage, SendPhoto, TelegramMethod
from aiogram.types import Message

from gateway import Block, Director, Feature, View
from gateway.demo.bot_api import BotApi, ChatType, Standing
from routers.event import OtherEvent
from state.conversation import Conversation
from state.tally import Tallied, Tally
from tests.redis.conftest import Outside, Run

GROUP, SUPERGROUP = -5, -1001234


class _Shop(StatesGroup):
    open = State()


def _shop() -> Feature:
    feature = Feature("shop", states=_Shop)

    @feature.on("shop.show")
    async def show(event: OtherEvent, director: Director) -> View:
        await director.state.set_state(_Shop.open)
        return View(content=event.object_id)

    @feature.on("shop.tell")
    async def tell(event: OtherEvent) -> SendMessage:
        return SendMessage(chat_id=int(event.object_id), text="to the administrator")

    @feature.chat.message(Command("hello"))
    async def hello(message: Message) -> View:
        return View(content="hello")

    return feature


async def _totals(outside: Outside) -> dict[Tallied, int]:
    return await Tally(outside.calls, outside.keys).totals()


async def test_a_user_who_blocked_the_bot_costs_one_call(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Later views are dropped and counted; the state changes all the same. Another process knows it too."""
    runtime = await run(_shop())
    api.chats[501].standing = Standing.BLOCKED
    for number in range(3):
        await outside.send("shop.show", to=conversation, object_id=str(number))
        await outside.settled()
        await run(_shop())

    assert len(api.calls) == 1
    totals = await _totals(outside)
    assert (totals[Tallied.REFUSED], totals[Tallied.DROPPED]) == (1, 2)
    assert await runtime.container.storage.get_state(conversation.storage_key()) == _Shop.open.state


async def test_a_deactivated_account_costs_one_call_too(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """It is told apart from a block."""
    await run(_shop())
    api.chats[501].standing = Standing.DEACTIVATED
    for number in range(2):
        await outside.send("shop.show", to=conversation, object_id=str(number))
        await outside.settled()

    assert len(api.calls) == 1
    assert await outside.calls.command("GET", outside.keys.closed(conversation)) == b"deactivated"


async def test_my_chat_member_closes_a_chat_and_opens_it_again(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """A block that Telegram has told of costs no call at all, and the first view after it is shown."""
    await run(_shop())
    await outside.update(api.updates.blocked(501))
    await outside.send("shop.show", to=conversation, object_id="never seen")
    await outside.settled()
    assert len(api.calls) == 0

    await outside.update(api.updates.unblocked(501))
    await outside.send("shop.show", to=conversation, object_id="welcome back")
    await outside.settled()

    assert api.chats[501].texts() == ["welcome back"]


async def test_whoever_writes_is_answered_even_if_word_of_it_was_missed(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """A bot may not have asked for `my_chat_member`; a user who writes has not blocked it."""
    await run(_shop())
    await outside.update(api.updates.blocked(501))
    api.chats[501].standing = Standing.OPEN

    await outside.update(api.updates.message(501, "/hello"))
    await outside.send("shop.show", to=conversation, object_id="news")
    await outside.settled()

    assert api.chats[501].texts() == ["news"]


async def test_a_group_that_takes_no_photos_takes_texts(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right that is missing for one kind of message closes nothing."""
    check_response = BaseSession.check_response
    words = "Bad Request: not enough rights to send photos to the chat"

    def refusing(
        self: BaseSession, bot: Bot, method: TelegramMethod[Any], status_code: int, content: str
    ) -> Response[Any]:
        if isinstance(method, SendPhoto):
            raise TelegramBadRequest(method, words)
        return check_response(self, bot, method, status_code, content)

    monkeypatch.setattr(BaseSession, "check_response", refusing)
    feature = _shop()

    @feature.on("shop.picture")
    async def picture(event: OtherEvent) -> View:
        return View(content=Block("a photo", photo="photo-1"))

    await run(feature)
    for event_type in ("shop.picture", "shop.show"):
        await outside.send(event_type, to=conversation, object_id="a text")
        await outside.settled()

    assert api.chats[501].texts()[-1] == "a text"
    assert not await outside.calls.command("EXISTS", outside.keys.closed(conversation))


async def test_one_bots_block_is_not_anothers(outside: Outside) -> None:
    """Nor a business chat's that of the private one."""
    private, other_bot = Conversation.private(42, 501), Conversation.private(43, 501)
    business = Conversation(42, 501, 501, business_connection_id="biz")

    assert len({outside.keys.closed(each) for each in (private, other_bot, business)}) == 3


async def test_a_call_elsewhere_neither_closes_nor_misses_the_conversations_chat(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The administrator has blocked the bot (one call), the customer has not; and the other way round."""
    await run(_shop())
    api.chats.open(900).standing = Standing.BLOCKED
    for _ in range(2):
        await outside.send("shop.tell", to=conversation, object_id="900")
        await outside.settled()
    await outside.send("shop.show", to=conversation, object_id="for the customer")
    await outside.settled()
    assert (len(api.calls.of(chat_id=900)), api.chats[501].texts()) == (1, ["for the customer"])

    await outside.update(api.updates.unblocked(900))
    await outside.update(api.updates.blocked(501))
    await outside.send("shop.tell", to=conversation, object_id="900")
    await outside.settled()

    assert api.chats[900].texts() == ["to the administrator"]


async def test_a_group_that_became_a_supergroup_is_followed(run: Run, outside: Outside, api: BotApi) -> None:
    """The view that met it goes on to the new chat; the next one edits it there, without asking again."""
    api.chats.open(GROUP, ChatType.GROUP)
    await run(_shop())
    in_group = Conversation(42, GROUP, 501)
    api.chats.migrate(GROUP, SUPERGROUP)

    for text in ("one", "two"):
        await outside.send("shop.show", to=in_group, object_id=text)
        await outside.settled()

    assert (api.chats[GROUP].texts(), api.chats[SUPERGROUP].texts()) == ([], ["two"])
    assert [(call.method, call.chat_id) for call in api.calls] == [
        ("sendMessage", GROUP),
        ("sendMessage", SUPERGROUP),
        ("editMessageText", SUPERGROUP),
    ]


async def test_the_word_of_a_move_is_enough(run: Run, outside: Outside, api: BotApi) -> None:
    """Telegram tells of it in the old group; nothing is tried there any more."""
    api.chats.open(GROUP, ChatType.GROUP)
    await run(_shop())
    in_group = Conversation(42, GROUP, 501)
    await outside.send("shop.show", to=in_group, object_id="before")
    await outside.settled()
    api.calls.clear()
    api.chats.migrate(GROUP, SUPERGROUP)
    told: dict[str, Any] = api.updates.message(GROUP, "moved", user_id=501)
    del told["message"]["text"]
    told["message"]["migrate_to_chat_id"] = SUPERGROUP
    await outside.update(told)

    await outside.send("shop.show", to=in_group, object_id="one")
    await outside.send("shop.tell", to=in_group, object_id=str(GROUP))
    await outside.settled()

    assert sorted(api.chats[SUPERGROUP].texts()) == ["one", "to the administrator"]
    assert {call.chat_id for call in api.calls} == {SUPERGROUP}
