"""A server that is measured: a process of its own, and what it has used of its core."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil  # type: ignore[import-untyped]  # the package carries no types


@asynccontextmanager
async def server_process(module: str, kind: str, port: int, *arguments: str) -> AsyncIterator[Process]:
    """Start the server *kind* of *module*, wait until it takes connections, and end it afterwards."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, kind, str(port), *arguments)
    try:
        await _listening(port)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def cpu_seconds(process: Process) -> float:
    """Return what *process* has used of a core."""
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


async def _listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
