"""What happens to gateway processes: they are killed, stopped for a while, and told a wrong time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from state.faults import CLOCK_VARIABLE
from tests.chaos.parts import Scenario, again_and_again, gateways, redis_server
from tests.chaos.stage import Disturb, Stage

#: Thirty times a lease of these gateways.
PAUSED_FOR: Final = timedelta(seconds=30)
BETWEEN_PAUSES: Final = timedelta(seconds=5)


@asynccontextmanager
async def calm(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """Nothing happens."""
    async with redis_server(directory, {}) as server, gateways(directory, server.url, ()) as stage:
        yield stage, _nothing


async def _nothing(stage: Stage) -> None:
    """Everything goes well."""


def killing(*options: tuple[str, ...], victim: int) -> Scenario:
    """One of the gateways is killed and started, again and again."""

    @asynccontextmanager
    async def scene(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
        async with redis_server(directory, {}) as server, gateways(directory, server.url, *options) as stage:
            process = stage.gateways[victim]

            async def kill() -> None:
                await process.kill()
                await process.start()

            yield stage, lambda stage: again_and_again(stage, kill, 4)

    return scene


@asynccontextmanager
async def paused(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """A process is stopped for many leases, goes on and still believes in its own; then the other one."""
    async with redis_server(directory, {}) as server, gateways(directory, server.url, (), ()) as stage:
        stage.has_plan = True
        yield stage, _pause_each


async def _pause_each(stage: Stage) -> None:
    for process in stage.gateways:
        await asyncio.sleep(BETWEEN_PAUSES.total_seconds())
        stage.disturbed += 1
        process.pause()
        await asyncio.sleep(PAUSED_FOR.total_seconds())
        process.go_on()
    await asyncio.sleep(BETWEEN_PAUSES.total_seconds())


@asynccontextmanager
async def wrong_clock(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """A process's clock jumps ten minutes forward and back, and again."""
    clock = directory / "clock"
    clock.write_text("0")
    async with (
        redis_server(directory, {}) as server,
        gateways(directory, server.url, (), environ={CLOCK_VARIABLE: str(clock)}) as stage,
    ):
        jumps = iter([600, -600, 600, 0, -600, 0] * 1000)
        yield stage, lambda stage: again_and_again(stage, lambda: clock.write_text(str(next(jumps))), 1)
        clock.write_text("0")
