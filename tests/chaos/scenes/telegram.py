"""What happens at Telegram."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from gateway.demo.bot_api import FaultKind
from tests.chaos.parts import again_and_again, gateways, redis_server
from tests.chaos.stage import Disturb, Stage

KINDS: Final = (
    FaultKind.TOO_MANY_REQUESTS,
    FaultKind.SERVER_ERROR,
    FaultKind.BAD_GATEWAY,
    FaultKind.DROP,
    FaultKind.DELAY,
)


@asynccontextmanager
async def bad_telegram(directory: Path) -> AsyncIterator[tuple[Stage, Disturb]]:
    """Telegram answers 429, 500 and 502, answers late, and drops connections."""
    async with redis_server(directory, {}) as server, gateways(directory, server.url, ()) as stage:
        turn = iter(KINDS * 1000)

        async def trouble(stage: Stage) -> None:
            await again_and_again(stage, lambda: stage.api.faults.add(next(turn)), 0.3)
            # What nothing has met yet is not to come: else the pauses after it are what is measured.
            stage.api.faults.clear()

        yield stage, trouble
