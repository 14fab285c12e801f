"""The stand-in in a process of its own, watched and steered over HTTP."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramForbiddenError, TelegramMigrateToChat, TelegramRetryAfter
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Update

TOKENS = ("42:demo", "43:other")
CHAT = 7


@pytest.fixture(name="url")
async def _url() -> AsyncIterator[str]:
    """The URL of a stand-in that runs elsewhere, which ends well when it is told to."""
    tokens = [argument for token in TOKENS for argument in ("--token", token)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.demo.bot_api",
        *tokens,
        "--chat",
        str(CHAT),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    yield (await process.stdout.readline()).decode().strip()
    process.terminate()
    assert await process.wait() == 0


@pytest.fixture(name="control")
async def _control(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{url}/_control") as client:
        yield client


@pytest.fixture(name="bot")
async def _bot(url: str) -> AsyncIterator[Bot]:
    async with Bot(TOKENS[0], session=AiohttpSession(api=TelegramAPIServer.from_base(url))) as bot:
        yield bot


async def got(control: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    """What the control surface answers, which must be no refusal."""
    answer = await control.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_another_process_sees_chats_calls_and_queries(control: httpx.AsyncClient, bot: Bot) -> None:
    """A user writes, the bot answers, the user presses: all of it can be told from outside."""
    wrote = await got(control, "POST", "/updates", {"deed": "message", "chat_id": CHAT, "text": "/start"})
    markup = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="y")]])
    sent = await bot.send_message(CHAT, "Sure?", reply_markup=markup)
    press = {"deed": "press", "chat_id": CHAT, "message_id": sent.message_id, "data": "y"}
    pressed = Update.model_validate(await got(control, "POST", "/updates", press))
    assert pressed.callback_query is not None
    await bot.answer_callback_query(pressed.callback_query.id, text="ok")

    chat = await got(control, "GET", f"/chats/{CHAT}")
    assert [message["text"] for message in chat["messages"]] == ["/start", "Sure?"]
    assert chat["messages"][1]["keyboard"] == [[{"text": "Yes", "callback_data": "y"}]]
    assert pressed.update_id > wrote["update_id"]
    [query] = await got(control, "GET", "/queries")
    assert query["answers"] == [{"text": "ok", "show_alert": False, "url": ""}]
    [call] = await got(control, "GET", f"/calls?method=sendMessage&chat_id={CHAT}")
    assert (call["outcome"], call["message_id"]) == ("ok", sent.message_id)
    assert await got(control, "GET", "/counts") == {
        "sendMessage": {"ok": 1},
        "answerCallbackQuery": {"ok": 1},
    }

    await got(control, "DELETE", f"/chats/{CHAT}/messages/{sent.message_id}")
    await got(control, "POST", "/reset")
    assert await got(control, "GET", "/chats") == []
    assert await got(control, "GET", "/calls") == []


async def test_another_process_makes_trouble(control: httpx.AsyncClient, bot: Bot) -> None:
    """Faults, limits, time, blocked users and upgraded groups, all on demand."""
    fault = {"kind": "too_many_requests", "method": "sendMessage", "seconds": 5}
    [pending] = await got(control, "POST", "/faults", fault)
    assert (pending["kind"], pending["times"]) == ("too_many_requests", 1)
    with pytest.raises(TelegramRetryAfter):
        await bot.send_message(CHAT, "x")
    await got(control, "POST", "/faults", {"kind": "hang"})
    assert await got(control, "DELETE", "/faults") == await got(control, "GET", "/faults") == []

    await got(control, "PUT", "/limits", {"enforced": True})
    for _ in range(3):
        await bot.send_message(CHAT, "x")
    with pytest.raises(TelegramRetryAfter):
        await bot.send_message(CHAT, "x")
    await got(control, "POST", "/clock", {"advance_seconds": 60})
    await bot.send_message(CHAT, "x")

    await got(control, "PATCH", f"/chats/{CHAT}", {"standing": "blocked"})
    with pytest.raises(TelegramForbiddenError):
        await bot.send_message(CHAT, "x")
    await got(control, "POST", "/chats", {"ids": [-8], "type": "group"})
    await got(control, "PATCH", "/chats/-8", {"migrate_to": -1008})
    with pytest.raises(TelegramMigrateToChat):
        await bot.send_message(-8, "x")


async def test_each_bot_has_its_own_chats(url: str, control: httpx.AsyncClient) -> None:
    """A user of one bot is a stranger to the other; the control surface tells them apart."""
    await got(control, "POST", "/chats?bot=43", {"ids": [9]})

    assert [chat["id"] for chat in await got(control, "GET", "/chats?bot=43")] == [9]
    assert [chat["id"] for chat in await got(control, "GET", "/chats")] == [CHAT]


@pytest.mark.parametrize(
    "method, path, body, status",
    [
        ("GET", "/chats/999", None, 404),
        ("GET", "/chats?bot=1", None, 404),
        ("POST", "/faults", {"kind": "earthquake"}, 400),
        ("POST", "/faults", {"kind": "hang", "planet": 3}, 400),
        ("POST", "/updates", {"deed": "dance"}, 400),
    ],
)
async def test_what_makes_no_sense_is_answered_so(
    control: httpx.AsyncClient, method: str, path: str, body: Any, status: int
) -> None:
    """404 for what is not there, 400 for what cannot be, both with the reason."""
    answer = await control.request(method, path, json=body)

    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("encoding", ["json", "query", "form"])
async def test_parameters_come_in_any_encoding(url: str, control: httpx.AsyncClient, encoding: str) -> None:
    """A JSON body, a query string and a form mean the same."""
    method = f"{url}/bot{TOKENS[0]}/SENDMESSAGE"
    parameters: dict[str, int | str] = {"chat_id": CHAT, "text": "x"}
    match encoding:
        case "json":
            answer = await control.post(method, json=parameters)
        case "query":
            answer = await control.get(method, params=parameters)
        case _:
            answer = await control.post(method, data=parameters)

    assert answer.json()["result"]["text"] == "x"


async def test_a_json_body_that_is_none_is_refused(url: str, control: httpx.AsyncClient) -> None:
    """400 in the Bot API's form."""
    answer = await control.post(
        f"{url}/bot{TOKENS[0]}/sendMessage", content=b"{", headers={"content-type": "application/json"}
    )

    assert answer.json() == {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: can't parse JSON object",
    }
