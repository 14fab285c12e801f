"""One process of a group."""

import asyncio
import multiprocessing
import socket
import sys
from multiprocessing.synchronize import Event

import structlog
import uvloop

from gateway.bot_module import load_gateway
from gateway.loading import loading
from gateway.logs import set_up_logs
from gateway.refusal import CommandRefused
from gateway.role import Role
from gateway.settings import Settings

log = structlog.get_logger(__name__)


def run_member(  # noqa: PLR0917 - multiprocessing hands them over by position
    bot: str, settings: Settings, redis_url: str, role: Role, sock: socket.socket | None, ready: Event
) -> None:
    """The life of one process of the group; it says when it is *ready*."""
    set_up_logs(settings.log.level, settings.log.form, secrets=settings.secrets())
    with loading():
        from gateway.server import run_gateway, stop_on_signals

    async def run() -> None:
        stop = stop_on_signals()
        parent = multiprocessing.parent_process()
        if parent is not None:
            # Its end closes this: a killed parent leaves nobody behind who would keep the address.
            asyncio.get_running_loop().add_reader(parent.sentinel, stop.set)
        gateway = load_gateway(bot)
        await run_gateway(gateway, settings, redis_url, role, sock, stop=stop, on_ready=ready.set)

    try:
        uvloop.run(run())
    except CommandRefused as refusal:
        for problem in refusal.problems:
            log.error("cannot run", problem=problem)  # noqa: TRY400 - it is told, not traced
        sys.exit(refusal.exit_code)
