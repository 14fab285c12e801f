"""Telegram's answers to one effect, each told apart over real HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from gateway import Block, View
from gateway.answers import Answer, Cause, Outcome
from gateway.demo.bot_api import BotApi, ChatType, FaultKind, Standing
from gateway.sender import Sender
from state.conversation import Conversation
from state.outbox import Effect, EffectKind
from state.screen import ShownBlock

CHAT = Conversation.private(42, 501)


class Desk:
    """One chat, and a sender that shows and deletes in it."""

    def __init__(self, api: BotApi, bot: Bot) -> None:
        self.api = api
        self.bot = bot
        self.sender = Sender(answer_seconds=1, now_ms=lambda: int(api.clock.now() * 1000))

    async def show(
        self, text: str, shown: ShownBlock | None = None, *, to: Conversation = CHAT, **block: Any
    ) -> Answer:
        """Bring the content block, which is at *shown* now, to *text*."""
        (effect,) = View(content=Block(text, **block)).effects()
        return await self.sender.do(self.bot, to, effect, shown)

    async def shown(self, text: str = "one") -> ShownBlock:
        """Show *text* and return where."""
        shown = (await self.show(text)).shown
        assert shown is not None
        return shown

    async def delete(self, *shown: ShownBlock) -> Answer:
        """Delete messages."""
        payload = {
            "places": [each.place for each in shown],
            "sent_ms": {each.place: each.sent_at_ms for each in shown},
        }
        return await self.sender.do(self.bot, CHAT, Effect(EffectKind.DELETE, payload), None)

    async def call(self, method: str, **arguments: Any) -> Answer:
        """Call one method of the Bot API."""
        payload = {"method": method, "arguments": arguments}
        return await self.sender.do(self.bot, CHAT, Effect(EffectKind.CALL, payload), None)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    """Telegram's stand-in, with one open chat."""
    async with BotApi() as api:
        api.chats.open(501)
        yield api


@pytest.fixture
async def desk(api: BotApi) -> AsyncIterator[Desk]:
    """A sender that reaches the stand-in."""
    bot = _bot(api, api.token)
    yield Desk(api, bot)
    await bot.session.close()


def _bot(api: BotApi, token: str) -> Bot:
    return Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(api.url)))


async def _not_modified(desk: Desk) -> Answer:
    return await desk.show("one", await desk.shown("one"))


async def _target_missing(desk: Desk) -> Answer:
    shown = await desk.shown()
    desk.api.chats[501].messages.clear()
    return await desk.show("two", shown)


async def _cannot_edit(desk: Desk) -> Answer:
    shown = await desk.shown()
    desk.api.chats[501].messages[shown.message_id].editable = False
    return await desk.show("two", shown)


async def _cannot_delete(desk: Desk) -> Answer:
    shown = await desk.shown()
    desk.api.chats[501].messages[shown.message_id].outgoing = True
    desk.api.chats[501].messages[shown.message_id].date -= int(timedelta(hours=49).total_seconds())
    return await desk.delete(shown)


async def _too_many(desk: Desk) -> Answer:
    desk.api.faults.add(FaultKind.TOO_MANY_REQUESTS, seconds=7)
    return await desk.show("one")


async def _blocked(desk: Desk) -> Answer:
    desk.api.chats[501].standing = Standing.BLOCKED
    return await desk.show("one")


async def _deactivated(desk: Desk) -> Answer:
    desk.api.chats[501].standing = Standing.DEACTIVATED
    return await desk.show("one")


async def _chat_gone(desk: Desk) -> Answer:
    return await desk.show("one", to=CHAT._replace(chat_id=777))


async def _migrated(desk: Desk) -> Answer:
    desk.api.chats.open(-5, ChatType.GROUP)
    desk.api.chats.migrate(-5, -1005)
    return await desk.show("one", to=CHAT._replace(chat_id=-5))


async def _query_expired(desk: Desk) -> Answer:
    return await desk.call("AnswerCallbackQuery", callback_query_id="7")


async def _already_refunded(desk: Desk) -> Answer:
    desk.api.account.charges["charge-1"] = (501, True)
    return await desk.call("RefundStarPayment", user_id=501, telegram_payment_charge_id="charge-1")


async def _lost_answer(desk: Desk) -> Answer:
    desk.api.faults.add(FaultKind.LOST_ANSWER)
    return await desk.show("one")


async def _no_answer(desk: Desk) -> Answer:
    desk.api.faults.add(FaultKind.HANG)
    return await desk.show("one")


async def _unreached(desk: Desk) -> Answer:
    await desk.api.__aexit__(None, None, None)
    return await desk.show("one")


async def _server_error(desk: Desk) -> Answer:
    desk.api.faults.add(FaultKind.SERVER_ERROR)
    return await desk.show("one")


async def _bad_gateway(desk: Desk) -> Answer:
    desk.api.faults.add(FaultKind.BAD_GATEWAY)
    return await desk.show("one")


async def _unauthorized(desk: Desk) -> Answer:
    desk.bot = _bot(desk.api, "43:revoked")
    try:
        return await desk.show("one")
    finally:
        await desk.bot.session.close()


async def _wrong(desk: Desk) -> Answer:
    return await desk.show("<b>one")


Case = tuple[Callable[[Desk], Awaitable[Answer]], Outcome, Cause]

CASES: list[Case] = [
    (_not_modified, Outcome.DONE, Cause.NOT_MODIFIED),
    (_target_missing, Outcome.DONE, Cause.TARGET_MISSING),
    (_cannot_edit, Outcome.DONE, Cause.CANNOT_EDIT),
    (_cannot_delete, Outcome.DONE, Cause.CANNOT_DELETE),
    (_too_many, Outcome.LATER, Cause.TOO_MANY),
    (_blocked, Outcome.REFUSED, Cause.BLOCKED),
    (_deactivated, Outcome.REFUSED, Cause.DEACTIVATED),
    (_chat_gone, Outcome.REFUSED, Cause.CHAT_GONE),
    (_migrated, Outcome.REFUSED, Cause.MIGRATED),
    (_query_expired, Outcome.REFUSED, Cause.QUERY_EXPIRED),
    (_already_refunded, Outcome.DONE, Cause.ALREADY_REFUNDED),
    (_lost_answer, Outcome.LATER, Cause.AMBIGUOUS),
    (_no_answer, Outcome.LATER, Cause.AMBIGUOUS),
    (_unreached, Outcome.LATER, Cause.UNREACHED),
    (_server_error, Outcome.LATER, Cause.SERVER),
    (_bad_gateway, Outcome.LATER, Cause.SERVER),
    (_unauthorized, Outcome.LATER, Cause.UNAUTHORIZED),
    (_wrong, Outcome.REFUSED, Cause.WRONG),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__.strip("_"))
async def test_each_answer_of_telegrams_has_an_outcome_and_a_cause(desk: Desk, case: Case) -> None:
    """A caller reads them, instead of words and exceptions."""
    happens, outcome, cause = case

    answer = await happens(desk)

    assert (answer.outcome, answer.cause) == (outcome, cause)


def test_no_cause_is_without_a_case() -> None:
    """But for the one that is decided here, before Telegram is asked."""
    assert {cause for _, _, cause in CASES} == set(Cause) - {Cause.SUPERSEDED}


async def test_a_429_says_how_long_and_a_migration_says_where(desk: Desk) -> None:
    """What to do next needs no second look at Telegram's words."""
    assert (await _too_many(desk)).pause == timedelta(seconds=7)
    assert (await _migrated(desk)).migrated_to == -1005


async def test_a_message_that_cannot_be_edited_is_replaced(desk: Desk) -> None:
    """The old one has to go; one that is gone already has not."""
    replaced, missing = await _cannot_edit(desk), await _target_missing(desk)

    assert replaced.replaced is not None
    assert replaced.new == replaced.shown
    assert (missing.replaced, missing.new is not None) == (None, True)


async def test_d18_an_edit_whose_answer_was_lost_is_repeated_as_an_edit(desk: Desk) -> None:
    """codex-bot sends a new message then, and the old one stays for ever."""
    shown = await desk.shown("one")
    desk.api.faults.add(FaultKind.LOST_ANSWER, method="editMessageText")

    first = await desk.show("two", shown)
    second = await desk.show("two", shown)

    assert (first.outcome, first.cause, first.uncertain) == (Outcome.LATER, Cause.AMBIGUOUS, False)
    assert (second.outcome, second.cause, second.shown) == (Outcome.DONE, Cause.NOT_MODIFIED, shown)
    assert desk.api.chats[501].texts() == ["two"]


async def test_a_send_whose_answer_was_lost_is_marked(desk: Desk) -> None:
    """The message may be there, and nobody knows its id; a call that makes no message never leaves one."""
    sent = await _lost_answer(desk)
    desk.api.faults.add(FaultKind.LOST_ANSWER)
    called = await desk.call("SendMessage", chat_id=501, text="one")
    desk.api.faults.add(FaultKind.LOST_ANSWER)
    answered = await desk.call("AnswerCallbackQuery", callback_query_id="7")

    assert (sent.uncertain, called.uncertain, answered.uncertain) == (True, True, False)


@pytest.mark.parametrize("fault", [FaultKind.TOO_MANY_REQUESTS, FaultKind.SERVER_ERROR, FaultKind.DROP])
async def test_d18_whatever_fails_an_edit_nothing_new_is_sent(desk: Desk, fault: FaultKind) -> None:
    """codex-bot answers every failure of an edit with a new message, a 429 at once."""
    shown = await desk.shown("one")
    desk.api.faults.add(fault, method="editMessageText")

    assert (await desk.show("two", shown)).outcome is Outcome.LATER
    assert desk.api.calls.counts()["sendMessage"] == {"ok": 1}


async def test_a_call_that_this_version_does_not_know_is_refused(desk: Desk) -> None:
    """Left by another version, it must not be tried for ever while others wait behind it."""
    unknown = await desk.call("SendTelepathy", chat_id=501)
    wrong = await desk.call("SendMessage", text="to nobody")

    assert (unknown.outcome, unknown.cause) == (Outcome.REFUSED, Cause.WRONG)
    assert (wrong.outcome, wrong.cause) == (Outcome.REFUSED, Cause.WRONG)


async def test_a_file_that_is_not_there_is_refused_by_name(desk: Desk, tmp_path_factory: Any) -> None:
    """It will not be there the next time either."""
    missing = tmp_path_factory.mktemp("empty") / "photo.jpg"

    answer = await desk.show("one", photo=missing)

    assert (answer.outcome, answer.cause) == (Outcome.REFUSED, Cause.WRONG)
    assert "photo.jpg" in answer.reason
