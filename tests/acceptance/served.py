"""A gateway as an operator starts it, embedded Redis included, followed through its log."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.processes import LONGEST_END, ended
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]

BOT = "from gateway import Feature, Gateway\n\ngateway = Gateway(Feature('nothing'))\n"

TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"

#: Nobody is at api_base: a bot without handlers calls nobody.
CONFIG = f"""
[telegram.bots.main]
token = "{TOKEN}"
secret_token = "the-secret-token"
api_base = "http://127.0.0.1:9"

[web]
port = 0
"""


@dataclass
class Served:
    """A `gateway serve` that has come up."""

    process: asyncio.subprocess.Process
    entries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens, as its log says."""
        return str(self.logged("listening")[0]["url"])

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The entries of one kind."""
        return [entry for entry in self.entries if entry["event"] == event]

    def pids_of(self, event: str) -> list[int]:
        """The processes that logged it."""
        return [int(entry["pid"]) for entry in self.logged(event)]

    async def terminated(self) -> int:
        """Send SIGTERM; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await ended(self.process)


def bot_in(directory: Path) -> Path:
    """*directory*, with a bot and its configuration."""
    (directory / "mybot.py").write_text(BOT, encoding="utf-8")
    (directory / "gateway.toml").write_text(CONFIG, encoding="utf-8")
    return directory


async def refused(
    *options: str, cwd: Path, environ: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """Serve where it cannot be; return the exit code and the lines that are not the log's."""
    process = await _started(options, cwd, environ)
    async with asyncio.timeout(LONGEST_END.total_seconds()):
        _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, [line for line in said.decode().splitlines() if not line.startswith("{")]


@asynccontextmanager
async def serving(
    *options: str, cwd: Path, environ: Mapping[str, str] | None = None, up: str = "listening", times: int = 1
) -> AsyncIterator[Served]:
    """`gateway serve`, once *up* was logged *times*; killed at the end if it still runs."""
    served = Served(await _started(options, cwd, environ))
    reading = asyncio.create_task(_read(served), name="log-reader")
    try:
        await wait_until(
            lambda: len(served.logged(up)) >= times or served.process.returncode is not None,
            description=f"the gateway is {up}",
            seconds=90,
        )
        assert served.process.returncode is None, served.entries
        yield served
    finally:
        if served.process.returncode is None:
            served.process.kill()
            await served.process.wait()
        with suppress(ProcessLookupError):
            # Whom it has left behind, if it was killed: they would keep the log open.
            os.killpg(served.process.pid, signal.SIGKILL)
        await reading


async def _started(
    options: tuple[str, ...], cwd: Path, environ: Mapping[str, str] | None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway", "serve", "mybot:gateway", *options),
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
        start_new_session=True,
        stderr=asyncio.subprocess.PIPE,
    )


async def _read(served: Served) -> None:
    assert served.process.stderr is not None
    async for line in served.process.stderr:
        text = line.decode()
        served.entries.append(json.loads(text) if text.startswith("{") else {"event": text.rstrip("\n")})
