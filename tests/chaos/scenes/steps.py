"""A process that dies between two steps of an event's way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from state.faults import FAULT_VARIABLE
from tests.acceptance.gateway_process import GatewayProcess
from tests.chaos.parts import gateways, redis_server
from tests.chaos.stage import BOT, STREAMS, Disturb, Stage

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
#: A step that a process does not come to within this time is left out, and not counted.
COMES_THERE_WITHIN_SECONDS: Final = 60.0


@asynccontextmanager
async def about_to_die(directory: Path, first: str) -> AsyncIterator[Stage]:
    """Two processes that do all, the second about to die at *first*; events come until the plan is done."""
    async with (
        redis_server(directory, {}) as server,
        gateways(directory, server.url, ()) as stage,
        GatewayProcess(
            directory, BOT, stage.api, server.url, more=STREAMS, environ=_dying_at(first)
        ) as second,
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
        _, waits = await asyncio.wait({died}, timeout=COMES_THERE_WITHIN_SECONDS)
        if waits:
            died.cancel()
        else:
            stage.disturbed += 1
    process.environ = {}


def _dying_at(point: str) -> dict[str, str]:
    return {FAULT_VARIABLE: f"{point}:3:KILL"}
