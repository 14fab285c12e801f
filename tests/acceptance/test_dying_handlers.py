"""Handlers whose process dies or is paused: nothing is sent twice, applied twice or tried for ever."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import HttpUrl, SecretStr
from redis.asyncio import Redis

from gateway.demo.bot_api import BotApi
from gateway.runtime import running
from gateway.settings import BotSettings, Settings, TelegramSettings, WorkerSettings
from state.backlog import Backlog
from state.conversation import Conversation
from state.dead_letters import DeadLetters
from state.grouping import GroupedCalls
from state.keys import Keys
from state.scripts import Scripts
from tests.acceptance import dying_bot
from tests.acceptance.dying_bot import RUNS
from tests.acceptance.gateway_process import GatewayProcess
from tests.acceptance.test_once import nothing_owed
from tests.waiting import wait_until

BOT = "tests.acceptance.dying_bot:gateway"


Runs = Callable[[], list[str]]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """The runs that the dying bot has begun so far."""
    path = tmp_path / "runs"
    path.touch()
    monkeypatch.setenv(RUNS, str(path))
    return lambda: path.read_text(encoding="utf-8").splitlines()


async def test_what_a_killed_handler_has_sent_is_not_sent_again(
    tmp_path: Path, runs: Runs, api: BotApi, redis: Redis, redis_url: str, backlog: Backlog
) -> None:
    """It sends two messages and its process is killed; the next process sends the third only."""
    async with GatewayProcess(tmp_path, BOT, api, redis_url) as gateway:
        assert (await gateway.telegram(api.updates.message(501, "once"))).is_success
        await gateway.died()
        assert api.chats[501].texts() == ["first", "second"]

        await gateway.start()
        await nothing_owed(backlog)

    assert runs() == ["once", "once"]
    assert api.chats[501].texts() == ["first", "second", "third"]
    assert api.calls.counts() == {"sendMessage": {"ok": 3}}


async def test_an_event_that_kills_its_process_is_given_up_after_its_attempts(
    tmp_path: Path,
    runs: Runs,
    api: BotApi,
    redis: Redis,
    redis_url: str,
    backlog: Backlog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes two processes with it; the third makes a dead letter of it, and everybody is served."""
    monkeypatch.setenv("GATEWAY_RETRIES__CHAT__ATTEMPTS", "2")
    async with GatewayProcess(tmp_path, BOT, api, redis_url) as gateway:
        await gateway.insist(gateway.telegram, api.updates.message(501, "poison"))
        await gateway.died()
        with suppress(AssertionError):
            # It may die before it is seen to be ready.
            await gateway.start()
        await gateway.died()
        await gateway.start()
        for user in range(501, 510):
            await gateway.insist(gateway.telegram, api.updates.message(user, "tea"))
        await nothing_owed(backlog)

    letters = DeadLetters(Scripts(GroupedCalls(redis), Keys()))
    [letter] = (await letters.page()).events
    assert runs() == ["poison", "poison"]
    assert (letter.reason, letter.attempts) == ("attempts", 3)
    assert [call.split()[1] for call in letter.calls] == ["SendMessage"]
    assert api.chats[501].texts() == ["swallowed", "tea!"]
    assert [api.chats[user].texts() for user in range(502, 510)] == [["tea!"]] * 8


async def test_a_paused_process_that_believes_in_its_lease_commits_nothing(
    tmp_path: Path, runs: Runs, api: BotApi, redis: Redis, redis_url: str, backlog: Backlog
) -> None:
    """It is stopped within a handler, another worker handles the event, and it sends nothing either."""
    bot = BotSettings(token=SecretStr(api.token), secret_token=SecretStr("s"), api_base=HttpUrl(api.url))
    settings = Settings(telegram=TelegramSettings(bots={"main": bot}), worker=WorkerSettings(lease_seconds=1))
    key = Conversation.private(api.account.id, 501).storage_key()
    async with GatewayProcess(tmp_path, BOT, api, redis_url) as paused:
        await paused.telegram(api.updates.message(501, "slow"))
        await wait_until(lambda: runs() == ["slow"], description="the handler runs")
        paused.pause()
        async with running(dying_bot.gateway, settings, redis_url) as runtime:
            await nothing_owed(backlog)
            assert runs() == ["slow", "slow"]
            dying_bot.note("enough")
            paused.go_on()
            await wait_until(lambda: "slow no more" in runs(), description="the paused handler has ended")
            await paused.insist(paused.telegram, api.updates.message(501, "tea"))
            await nothing_owed(backlog)
            data = await runtime.container.storage.get_data(key)

    assert data == {"run": 2}
    assert api.chats[501].texts() == ["at last", "tea!"]
    assert api.calls.counts()["sendMessage"] == {"ok": 2}
