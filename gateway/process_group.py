"""Several processes on one socket: started, started again when one dies, drained together."""

import asyncio
import multiprocessing
import socket
import sys
from collections.abc import Coroutine
from datetime import timedelta
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from typing import Any, Final

import structlog
import uvloop

from gateway.bot_module import load_gateway
from gateway.logs import set_up_logs
from gateway.refusal import FAILED, CommandRefused
from gateway.role import Role
from gateway.server import run_gateway, stop_on_signals
from gateway.settings import Settings

log = structlog.get_logger(__name__)

#: A process that dies at once is not started in a frenzy: the pause doubles with each start that fails.
PAUSE_BEFORE_ANOTHER: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(seconds=30)
#: So many starts may fail in a row; whoever supervises us knows better what to do then.
MOST_FAILED_STARTS: Final = 5

#: Beyond the time to drain, for closing connections and ending the interpreter.
GRACE: Final = timedelta(seconds=5)

# A fork would share the loop's and Redis's descriptors; a fresh interpreter shares the listening socket only.
_SPAWN: Final = multiprocessing.get_context("spawn")


class ProcessGroup:
    """*size* processes that each run *bot* on *sock* (None: workers without a listener)."""

    def __init__(
        self,
        bot: str,
        settings: Settings,
        redis_url: str,
        role: Role,
        sock: socket.socket | None,
        *,
        size: int,
    ) -> None:
        self._arguments = (bot, settings, redis_url, role, sock)
        notice = timedelta(seconds=settings.web.drain_notice_seconds)
        self._patience = notice + settings.worker.drain + GRACE
        self._size = size

    async def run(self) -> int:
        """
        Keep all of them alive until SIGTERM or Ctrl-C; 0 when every one then ended in good order.

        If one cannot be started, all are drained, and the result is not 0.
        """
        stop = stop_on_signals()
        async with asyncio.TaskGroup() as group:
            members = [
                group.create_task(self._keep(number, stop), name=f"process-{number}")
                for number in range(self._size)
            ]
        return max(member.result() for member in members)

    async def _keep(self, number: int, stop: asyncio.Event) -> int:
        failed_starts = 0
        while True:
            ready = _SPAWN.Event()
            arguments = (*self._arguments, ready)
            process = _SPAWN.Process(target=run_member, args=arguments, name=f"gateway-{number}")
            process.start()
            try:
                await _first_of(_ended(process), stop.wait())
                if stop.is_set():
                    return await self._drained(process)
            finally:
                if process.is_alive():
                    process.kill()
            failed_starts = 0 if ready.is_set() else failed_starts + 1
            if failed_starts >= MOST_FAILED_STARTS:
                log.error("a process cannot be started, giving up", number=number, exit_code=process.exitcode)
                stop.set()
                return FAILED
            log.error("a process ended unasked, starting another", number=number, exit_code=process.exitcode)
            pause = min(PAUSE_BEFORE_ANOTHER * 2 ** max(0, failed_starts - 1), LONGEST_PAUSE)
            await _first_of(stop.wait(), asyncio.sleep(pause.total_seconds()))
            if stop.is_set():
                return 0

    async def _drained(self, process: BaseProcess) -> int:
        process.terminate()
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await _ended(process)
        except TimeoutError:
            log.warning("a process did not drain, killing it", pid=process.pid)
            process.kill()
            await _ended(process)
        return 0 if process.exitcode == 0 else 1


def run_member(  # noqa: PLR0917 - multiprocessing hands them over by position
    bot: str, settings: Settings, redis_url: str, role: Role, sock: socket.socket | None, ready: Event
) -> None:
    """The life of one process of the group; it says when it is *ready*."""
    set_up_logs(settings.log.level, settings.log.form, secrets=settings.secrets())

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


async def _ended(process: BaseProcess) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(process.sentinel, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()


async def _first_of(*coroutines: Coroutine[Any, Any, Any]) -> None:
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
