"""What happens to the network between the gateways and Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.parts import Scenario, again_and_again, gateways, redis_server
from tests.chaos.proxy import Network
from tests.chaos.stage import Disturb, Stage
from tests.ports import free_port


def network(trouble: Callable[[Network], object], every: float) -> Scenario:
    """*trouble* comes over the network again and again."""

    @asynccontextmanager
    async def scene(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
        there, here = free_port(), free_port()
        async with (
            redis_server(directory, {}, port=there) as server,
            Network(here, there) as between,
            gateways(directory, f"redis://127.0.0.1:{here}/0", (), observer=server.url) as stage,
        ):
            yield stage, lambda stage: again_and_again(stage, lambda: trouble(between), every)

    return scene


async def cut(between: Network) -> None:
    """Connections break, and new ones are refused for a while."""
    await between.cut()
    await asyncio.sleep(1.5)
    await between.mend()


async def silent(between: Network) -> None:
    """Nothing arrives for a while, and nobody is told."""
    between.silence()
    await asyncio.sleep(3)
    between.speak()


async def slow(between: Network) -> None:
    """It is slow from now on."""
    between.delay_seconds = 0.03
