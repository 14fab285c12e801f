"""G10: a stop and a rolling restart drop nothing, and show nobody a failure while one process is up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from gateway.demo.bot_api import BotApi
from state import ConversationStorage
from state.backlog import Backlog
from state.conversation import Conversation
from tests.acceptance.conftest import BOT
from tests.acceptance.counting_bot import counts
from tests.acceptance.gateway_process import GatewayProcess
from tests.waiting import wait_until

Delivery = Callable[[GatewayProcess], Awaitable[httpx.Response]]


class Balancer:
    """
    Passes each call to the next process in turn, as a load balancer does.

    What is assumed of one: it tries the next process when a connection is refused or breaks before an answer,
    and when the answer is 503 (nginx: `proxy_next_upstream error timeout http_503 non_idempotent`).
    """

    def __init__(self, *processes: GatewayProcess) -> None:
        self._processes = processes
        self._turn = 0
        self.tried_elsewhere = 0

    async def send(self, deliver: Delivery) -> int:
        """Pass one call on; return the status that its sender sees."""
        self._turn += 1
        first, status = self._turn, 502
        for number in range(len(self._processes)):
            process = self._processes[(first + number) % len(self._processes)]
            with suppress(httpx.TransportError):
                status = (await deliver(process)).status_code
                if status != 503:
                    return status
            self.tried_elsewhere += 1
        return status


@pytest.fixture
async def pair(
    tmp_path: Path, api: BotApi, redis: Redis, redis_url: str
) -> AsyncIterator[tuple[GatewayProcess, GatewayProcess]]:
    """Two processes that share the work."""
    del redis  # it empties the store first
    async with (
        GatewayProcess(tmp_path, BOT, api, redis_url) as first,
        GatewayProcess(tmp_path, BOT, api, redis_url) as second,
    ):
        yield first, second


async def test_a_stop_finishes_what_runs_and_refuses_the_rest_before_it_closes(
    gateway: GatewayProcess, api: BotApi, redis: Redis, storage: ConversationStorage
) -> None:
    """While a handler runs: not ready, 503 on a closed connection, then an end with 0 and no lease left."""
    assert (await gateway.telegram(api.updates.message(501, "slow one"))).is_success
    await wait_until(lambda: bool(api.calls.of("sendChatAction")), description="the handler runs", seconds=30)

    stopping = asyncio.create_task(gateway.stop())

    async def not_ready() -> bool:
        return (await gateway.http.get("/readyz")).status_code == 503

    await wait_until(not_ready, description="the process says that it leaves")
    refused = await gateway.telegram(api.updates.message(501, "too late"))
    code = await stopping

    data = await storage.get_data(Conversation.private(api.account.id, 501).storage_key())
    assert code == 0
    assert (refused.status_code, refused.headers["connection"]) == (503, "close")
    assert refused.headers["retry-after"] == "1"
    assert counts(data) == {"slow one": 1}
    assert await redis.keys("*:lease") == []


async def test_a_rolling_restart_under_load_drops_nothing_and_shows_no_failure(
    pair: tuple[GatewayProcess, GatewayProcess],
    api: BotApi,
    backlog: Backlog,
    storage: ConversationStorage,
) -> None:
    """Both processes are stopped and started, one after the other, while calls never cease."""
    balancer = Balancer(*pair)
    statuses: list[int] = []
    expected: dict[int, dict[str, int]] = {}
    over = asyncio.Event()

    async def one_user(user: int) -> None:
        expected[user] = {}
        while not over.is_set():
            text = f"message {len(expected[user])}"
            expected[user][text] = 1
            update = api.updates.message(user, text)
            statuses.append(await balancer.send(partial(GatewayProcess.telegram, update=update)))
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as group:
        for user in range(501, 505):
            group.create_task(one_user(user))
        codes = []
        for process in pair:
            codes.append(await process.stop())
            await process.start()
        over.set()

    async def all_done() -> bool:
        return not await backlog.owed()

    await wait_until(all_done, description="nothing is owed", seconds=60)
    assert codes == [0, 0]
    assert set(statuses) == {200}
    assert len(statuses) > 100
    assert balancer.tried_elsewhere > 0
    for user, texts in expected.items():
        key = Conversation.private(api.account.id, user).storage_key()
        assert counts(await storage.get_data(key)) == texts
