"""Faults happen to the calls they are meant for, and limits are Telegram's."""

from datetime import timedelta

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramNetworkError, TelegramRetryAfter, TelegramServerError

from gateway.demo.bot_api import BotApi, ChatType, FaultKind, Outcome

CHAT = 7


async def test_a_flood_fault_names_the_seconds_to_wait(api: BotApi, bot: Bot) -> None:
    """The next two sends of one chat are refused; other methods and chats do not notice."""
    api.chats.open(8)
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, times=2, method="sendMessage", chat_id=CHAT, seconds=13)

    for _ in range(2):
        with pytest.raises(TelegramRetryAfter) as flood:
            await bot.send_message(CHAT, "x")
        assert flood.value.retry_after == 13
        await bot.send_chat_action(CHAT, "typing")
        await bot.send_message(8, "x")

    await bot.send_message(CHAT, "through")
    assert api.chats[CHAT].texts() == ["through"]
    assert api.faults.pending() == []


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.BAD_GATEWAY])
async def test_a_broken_server_applies_nothing(api: BotApi, bot: Bot, kind: FaultKind) -> None:
    """500 and 502 reach the caller as aiogram's server error."""
    api.faults.add(kind)

    with pytest.raises(TelegramServerError):
        await bot.send_message(CHAT, "x")

    assert api.chats[CHAT].texts() == []


async def test_a_lost_answer_leaves_the_message_behind(api: BotApi, bot: Bot) -> None:
    """The caller sees a broken connection, the user sees the message, the log says so."""
    api.faults.add(FaultKind.LOST_ANSWER)

    with pytest.raises(TelegramNetworkError):
        await bot.send_message(CHAT, "sent all the same")

    assert api.chats[CHAT].texts() == ["sent all the same"]
    assert [call.outcome for call in api.calls] == [Outcome.LOST]


async def test_a_dropped_connection_leaves_nothing(api: BotApi, bot: Bot) -> None:
    """The caller sees the same broken connection, the user sees nothing."""
    api.faults.add(FaultKind.DROP)

    with pytest.raises(TelegramNetworkError):
        await bot.send_message(CHAT, "x")

    assert api.chats[CHAT].texts() == []
    assert [call.outcome for call in api.calls] == [Outcome.FAULT]


async def test_a_hanging_call_is_given_up_by_the_caller_and_does_not_keep_the_server_up(bot: Bot) -> None:
    """No answer comes, and closing the server does not wait for one."""
    async with BotApi() as other:
        other.chats.open(CHAT)
        other.faults.add(FaultKind.HANG)
        bot.session.api = type(bot.session.api).from_base(other.url)

        with pytest.raises(TelegramNetworkError, match="timeout"):
            await bot.send_message(CHAT, "x", request_timeout=1)

        assert other.chats[CHAT].texts() == []


@pytest.mark.parametrize("kind, seen", [(FaultKind.LATE_ANSWER, ["x"]), (FaultKind.DELAY, [])])
async def test_a_slow_call_is_applied_before_or_after_the_wait(
    api: BotApi, bot: Bot, kind: FaultKind, seen: list[str]
) -> None:
    """A caller that gives up a late answer has sent its message, one that gives up a delay has not."""
    api.faults.add(kind, seconds=30)

    with pytest.raises(TelegramNetworkError, match="timeout"):
        await bot.send_message(CHAT, "x", request_timeout=1)

    assert api.chats[CHAT].texts() == seen


async def test_after_an_outage_everything_is_there_again(bot: Bot) -> None:
    """While the server is away nothing connects; back on the same port it knows its chats."""
    other = BotApi()
    async with other:
        bot.session.api = type(bot.session.api).from_base(other.url)
        other.chats.open(CHAT)
        await bot.send_message(CHAT, "before")

    with pytest.raises(TelegramNetworkError):
        await bot.send_message(CHAT, "meanwhile")

    async with other:
        await bot.send_message(CHAT, "after")
    assert other.chats[CHAT].texts() == ["before", "after"]


async def test_the_log_tells_every_call_in_order(api: BotApi, bot: Bot) -> None:
    """Method, chat, parameters, outcome, and the message that came of it."""
    sent = await bot.send_message(CHAT, "x")
    await bot.delete_messages(CHAT, [sent.message_id, 99])
    api.faults.add(FaultKind.BAD_GATEWAY)
    with pytest.raises(TelegramServerError):
        await bot.send_message(CHAT, "y")

    calls = list(api.calls)

    assert [(call.method, call.chat_id, call.outcome) for call in calls] == [
        ("sendMessage", CHAT, Outcome.OK),
        ("deleteMessages", CHAT, Outcome.OK),
        ("sendMessage", CHAT, Outcome.FAULT),
    ]
    assert (calls[0].parameters["text"], calls[0].message_id) == ("x", sent.message_id)
    assert calls[1].parameters["message_ids"] == [sent.message_id, 99]
    assert calls[2].error_code == 502
    assert api.calls.counts() == {"sendMessage": {"ok": 1, "fault": 1}, "deleteMessages": {"ok": 1}}


async def test_a_chat_takes_a_burst_and_then_a_message_a_second(api: BotApi, bot: Bot) -> None:
    """Three at once; the fourth is told how long to wait, and then goes."""
    api.clock.stop()
    api.enforce_limits(True)
    for _ in range(3):
        await bot.send_message(CHAT, "x")

    with pytest.raises(TelegramRetryAfter) as flood:
        await bot.send_message(CHAT, "x")
    assert flood.value.retry_after == 3
    api.clock.advance(timedelta(seconds=flood.value.retry_after))

    assert (await bot.send_message(CHAT, "x")).text == "x"


async def test_a_group_takes_twenty_messages_a_minute(api: BotApi, bot: Bot) -> None:
    """However slowly they come."""
    api.clock.stop()
    api.enforce_limits(True)
    api.chats.open(-8, ChatType.GROUP)
    for _ in range(20):
        await bot.send_message(-8, "x")
        api.clock.advance(timedelta(seconds=1.5))

    with pytest.raises(TelegramRetryAfter) as flood:
        await bot.send_message(-8, "x")

    assert flood.value.retry_after == 30


async def test_a_bot_sends_thirty_messages_a_second(api: BotApi, bot: Bot) -> None:
    """To whomever; without enforcement nobody counts."""
    chats = range(100, 131)
    for chat_id in chats:
        api.chats.open(chat_id)
        await bot.send_message(chat_id, "uncounted")

    api.clock.stop()
    api.enforce_limits(True)
    for chat_id in chats[:30]:
        await bot.send_message(chat_id, "x")
    with pytest.raises(TelegramRetryAfter):
        await bot.send_message(chats[30], "x")
