"""Telegram is told of a webhook once, by one process, and only if it does not know."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import HttpUrl, SecretStr
from redis.asyncio import Redis

from gateway import Feature, Gateway, telegram_webhooks
from gateway.cli import main
from gateway.demo.bot_api import BotApi
from gateway.demo.bot_api.calls import Outcome
from gateway.runtime import running
from gateway.settings import BotSettings, Settings, TelegramSettings, WebSettings
from tests.waiting import wait_until

TOKENS = ("42:AAbbcc", "43:DDeeff")


@pytest.fixture
async def telegram() -> AsyncIterator[BotApi]:
    """A Bot API with two bots, which allows one setWebhook a second."""
    async with BotApi(tokens=TOKENS) as telegram:
        yield telegram


def _settings(telegram: BotApi, *, secret: str = "s3cret", **more: bool) -> Settings:
    bots = {
        name: BotSettings(
            token=SecretStr(token), secret_token=SecretStr(secret), api_base=HttpUrl(telegram.url), **more
        )
        for name, token in zip(("main", "other"), TOKENS, strict=True)
    }
    web = WebSettings(public_url=HttpUrl("https://bots.example/gw/"))
    return Settings(telegram=TelegramSettings(bots=bots), web=web)


def _gateway() -> Gateway:
    feature = Feature("shop")

    @feature.chat.inline_query()
    async def found() -> None:
        """Never called."""

    return Gateway(feature)


def _set(telegram: BotApi) -> list[int]:
    return [
        call.bot_id for call in telegram.calls if call.method == "setWebhook" and call.outcome is Outcome.OK
    ]


async def _all_set(telegram: BotApi, times: int = 1) -> None:
    await wait_until(lambda: len(_set(telegram)) == 2 * times, description="both bots have their webhook")


async def test_each_bot_gets_its_address_its_secret_and_the_updates_that_it_handles(
    telegram: BotApi, redis: Redis, redis_url: str
) -> None:
    """Computed from the handlers that are registered, and what the gateway itself needs."""
    del redis
    async with running(_gateway(), _settings(telegram), redis_url):
        await _all_set(telegram)

    accounts = {account.id: account for account in telegram.accounts.values()}
    for bot_id in (42, 43):
        webhook = accounts[bot_id].webhook
        assert webhook is not None
        assert (webhook.url, webhook.secret_token) == (f"https://bots.example/gw/telegram/{bot_id}", "s3cret")
        expected = ["callback_query", "inline_query", "message", "my_chat_member"]
        assert accounts[bot_id].allowed_updates == expected


async def test_many_processes_make_one_call_for_each_bot(
    telegram: BotApi, redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four workers that all call setWebhook at start meet 429 and 409; here one of them calls."""
    del redis
    monkeypatch.setattr(telegram_webhooks, "LOOK_AGAIN_SECONDS", 0.02)
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(running(_gateway(), _settings(telegram), redis_url))
        await _all_set(telegram)
        await asyncio.sleep(0.2)

    assert sorted(call.bot_id for call in telegram.calls if call.method == "setWebhook") == [42, 43]


async def test_a_restart_sets_nothing_anew(telegram: BotApi, redis: Redis, redis_url: str) -> None:
    """Telegram is asked what it knows; only a difference is told."""

    async def noted() -> bool:
        told = all(await redis.hmget("gw:meta", ["webhook:42", "webhook:43"]))
        return told and not await redis.exists("gw:webhooks")

    async with running(_gateway(), _settings(telegram), redis_url):
        await wait_until(noted, description="all is told and nobody leads")
    asked = len(telegram.calls)
    async with running(_gateway(), _settings(telegram), redis_url):
        await wait_until(lambda: len(telegram.calls) >= asked + 2, description="Telegram was asked")

    assert [call.method for call in list(telegram.calls)[asked:]] == ["getWebhookInfo"] * 2


async def test_a_new_secret_is_told_although_telegram_does_not_show_the_old_one(
    telegram: BotApi, redis: Redis, redis_url: str
) -> None:
    """Otherwise every update would be refused after the secret was changed."""
    del redis
    async with running(_gateway(), _settings(telegram), redis_url):
        await _all_set(telegram)
    async with running(_gateway(), _settings(telegram, secret="new-one"), redis_url):
        await _all_set(telegram, times=2)

    assert {account.webhook.secret_token for account in telegram.accounts.values() if account.webhook} == {
        "new-one"
    }


async def test_a_bot_that_telegram_does_not_know_stops_no_other(
    telegram: BotApi, redis: Redis, redis_url: str
) -> None:
    """Its failure is logged and tried again."""
    del redis
    del telegram.accounts[TOKENS[0]]
    async with running(_gateway(), _settings(telegram), redis_url):
        await wait_until(lambda: _set(telegram) == [43], description="the other bot has its webhook")


async def test_without_leave_nothing_is_set(telegram: BotApi, redis: Redis, redis_url: str) -> None:
    """Who sets webhooks elsewhere says so."""
    del redis
    async with running(_gateway(), _settings(telegram, set_webhook=False), redis_url):
        await asyncio.sleep(0.1)

    assert len(telegram.calls) == 0


@pytest.fixture
def served_telegram() -> Iterator[BotApi]:
    """The same, on a thread of its own: commands run in a loop of theirs."""
    telegram, ready, over = BotApi(tokens=TOKENS[:1]), threading.Event(), threading.Event()

    async def serve() -> None:
        async with telegram:
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    yield telegram
    over.set()
    thread.join()


def test_the_command_line_sets_shows_and_deletes(
    served_telegram: BotApi,
    tmp_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The token is in none of what it prints."""
    prefix = tmp_path.name[-32:]
    (tmp_path / "gateway.toml").write_text(
        f'[telegram.bots.main]\ntoken = "{TOKENS[0]}"\nsecret_token = "s"\n'
        f'api_base = "{served_telegram.url}"\n'
        f'[web]\npublic_url = "https://bots.example"\n[redis]\nurl = "{redis_url}"\nprefix = "{prefix}"\n'
    )
    (tmp_path / "webhookbot.py").write_text(
        "from gateway import Feature, Gateway\ngateway = Gateway(Feature('a'))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["gateway", "telegram", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(str(ended.value.code))

    codes = [
        run("set-webhook", "webhookbot:gateway"),
        run("info"),
        run("delete", "--bot", "main"),
        run("info", "--bot", "nobody"),
    ]

    printed = capsys.readouterr()
    assert codes == [0, 0, 0, 2]
    assert "https://bots.example/telegram/42" in printed.out
    assert "--bot: nobody is not a bot; there are main" in printed.err
    assert TOKENS[0] not in printed.out + printed.err
    assert served_telegram.account.webhook is None
