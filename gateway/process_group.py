"""Several processes on one socket: started, started again when one dies, drained together."""

import asyncio
import multiprocessing
import socket
from collections.abc import Coroutine
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any, Final

import structlog

from gateway.process_member import run_member
from gateway.refusal import FAILED
from gateway.role import Role
from gateway.server import stop_on_signals
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
