"""The load, as a process of its own: what is sent owes nothing to those who watch."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Self

from tests.chaos.load import SENDING
from tests.chaos.plan import Plan, Sent


class LoadProcess:
    """Sends *plan*; begins with the ``with`` block, in which it also ends."""

    def __init__(self, directory: Path, plan: Plan) -> None:
        self._file = directory / "plan.json"
        self._plan = plan
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        self._file.write_bytes(self._plan.encode())
        path = os.pathsep.join((os.environ.get("PYTHONPATH", ""), str(Path.cwd())))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.chaos.load",
            str(self._file),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == SENDING, "the load did not begin"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def enough(self) -> None:
        """Let it send no more than was planned."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def sent(self) -> Sent:
        """Return what it has sent when all of it is acknowledged."""
        assert self._process.stdout is not None
        said = await self._process.stdout.read()
        assert await self._process.wait() == 0, "the load failed"
        return Sent.decode(said)
