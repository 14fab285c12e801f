"""The gateway as its users run it: a process of its own, to be asked, stopped and killed."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx

from gateway.demo.bot_api import BotApi
from routers.provider import Example
from routers.registry import providers
from tests.acceptance.doors import BOT_SECRET, CALCOM_SECRET, STRIPE_SECRET, Doors
from tests.ports import free_port
from tests.processes import ended
from tests.waiting import wait_until

#: A repeat after a failure comes soon here; Telegram's second one comes after 2 s, Stripe's after minutes.
RETRY_SECONDS = 0.1
GIVE_UP_AFTER = timedelta(seconds=120)


class GatewayProcess(Doors):
    """``gateway serve`` on *redis_url*, with *bot* talking to *api*, and *more* tables of settings."""

    def __init__(
        self,
        directory: Path,
        bot: str,
        api: BotApi,
        redis_url: str,
        *options: str,
        redis: str = "",
        more: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(api.account.id)
        self.config = directory / f"gateway-{id(self)}.toml"
        self.config.write_text(
            f"""
[telegram.bots.main]
token = "{api.token}"
secret_token = "{BOT_SECRET}"
api_base = "{api.url}"

[sources.stripe]
kind = "stripe"
secrets = ["{STRIPE_SECRET}"]

[sources.calcom]
kind = "calcom"
secrets = ["{CALCOM_SECRET}"]

[redis]
url = "{redis_url}"
{redis}

[worker]
lease_seconds = 2

[log]
form = "json"
level = "warning"

{more}
"""
        )
        self._log = directory / f"gateway-{id(self)}.log"
        self._bot = bot
        self._options = options
        self.listens = "worker" not in options
        self.environ = dict(environ or {})
        """For the next start: what its environment holds besides."""
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0

    async def start(self) -> None:
        """Start it, on the port it had before if any, and wait until it is ready."""
        arguments = ["-m", "gateway", "serve", self._bot, "--config", str(self.config)]
        if self._port == 0:
            self._port = free_port()
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                "--port",
                str(self._port),
                *self._options,
                stderr=log,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join((os.environ.get("PYTHONPATH", ""), str(Path.cwd()))),
                    **self.environ,
                },
            )
        self.http.base_url = httpx.URL(f"http://127.0.0.1:{self._port}")
        if not self.listens:
            return
        await wait_until(self._is_ready, description="the gateway is ready", seconds=240)

    async def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, self._log.read_text()
        with suppress(httpx.TransportError):
            return (await self.http.get("/readyz")).is_success
        return False

    async def kill(self) -> None:
        """SIGKILL: no chance to finish anything."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    def pause(self) -> None:
        """SIGSTOP: it knows nothing of the time that passes."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def died(self) -> int:
        """Return its exit code when it has ended by itself."""
        assert self._process is not None
        return await ended(self._process)

    async def stop(self) -> int:
        """SIGTERM, heard by a paused process too; return the exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.send_signal(signal.SIGCONT)
        return await ended(self._process)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self.http.aclose()

    async def insist(self, delivery: Any, content: Any) -> None:
        """Deliver until it is taken, as Telegram and Stripe do, who give up some time too."""
        async with asyncio.timeout(GIVE_UP_AFTER.total_seconds()):
            while True:
                with suppress(httpx.TransportError):
                    if (await delivery(content)).is_success:
                        return
                await asyncio.sleep(RETRY_SECONDS)


def payment(token: str, number: int) -> bytes:
    """A Stripe event: payment *number* succeeded."""
    example = Example(token=token, at=datetime.now(UTC), object_id=f"pi_{number}", event_id=f"evt_{number}")
    return providers()["stripe"].examples["payment_intent.succeeded"](example)
