"""A handler that kills its process: what it has sent is not sent again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway.demo.bot_api import BotApi
from state.backlog import Backlog
from tests.acceptance.dying_bot import RUNS
from tests.acceptance.gateway_process import GatewayProcess
from tests.acceptance.test_once import nothing_owed

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
