"""What happens to Redis: it is killed, it fails over, a Cluster loses a primary, its disk is full."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.chaos.parts import BINARY, Scenario, again_and_again, gateways, redis_server
from tests.chaos.plan import Confirm
from tests.chaos.stage import Disturb, Stage
from tests.failover import SentinelGroup, SixNodes
from tests.full_disk import empty_disk, fill_disk

ON_DISK: Final = Confirm(disk=True)
ON_A_REPLICA: Final = Confirm(replicas=1)
#: Redis tries to write what it could not write once a second.
DISK_FULL_SECONDS: Final = 2.5


def redis_killed(extra: Mapping[str, str]) -> Scenario:
    """Redis is killed and started on its append-only file, again and again."""

    @asynccontextmanager
    async def scene(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
        async with (
            redis_server(directory, extra) as server,
            gateways(directory, server.url, (), confirm=ON_DISK) as stage,
        ):

            async def kill() -> None:
                await server.kill()
                await asyncio.sleep(0.3)
                await server.restart()

            yield stage, lambda stage: again_and_again(stage, kill, 2)

    return scene


@asynccontextmanager
async def disk_full(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """The append-only file may grow no more, so Redis takes no writes; then it may; nobody restarts it."""
    async with (
        redis_server(directory, {}) as server,
        gateways(directory, server.url, (), confirm=ON_DISK) as stage,
    ):

        async def fill() -> None:
            fill_disk(server)
            await asyncio.sleep(DISK_FULL_SECONDS)
            empty_disk(server)

        yield stage, lambda stage: again_and_again(stage, fill, 6)


@asynccontextmanager
async def failover(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """Sentinels name another primary; the old one comes back as a replica, and then it happens again."""
    async with (
        SentinelGroup(directory, BINARY, replicas=2) as group,
        gateways(directory, group.url, (), confirm=ON_A_REPLICA) as stage,
    ):
        victims = iter(group.servers * 100)

        async def kill() -> None:
            victim = next(victims)
            await victim.kill()
            await asyncio.sleep(4)
            await victim.restart()
            await asyncio.sleep(4)

        yield stage, lambda stage: again_and_again(stage, kill, 2)


@asynccontextmanager
async def lost_primary(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """One of three primaries of a Cluster dies, comes back as a replica, and so does the next."""
    async with (
        SixNodes(directory, BINARY) as cluster,
        gateways(directory, cluster.url, (), confirm=ON_A_REPLICA) as stage,
    ):
        victims = iter(cluster.servers[:3] * 100)

        async def kill() -> None:
            victim = next(victims)
            await victim.kill()
            await asyncio.sleep(6)
            await victim.restart()
            await asyncio.sleep(4)

        yield stage, lambda stage: again_and_again(stage, kill, 2)
