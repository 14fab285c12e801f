"""A real redis-server of our own, for whoever has none: unix socket, append-only file, gone with us."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import structlog

from gateway.embedded_binary import find_redis_server
from gateway.embedded_lock import DataDirectoryLock
from state.connection import open_client, store_errors
from state.ending import ended
from state.errors import StoreUnavailable

log = structlog.get_logger(__name__)

#: The shortest limit of `sockaddr_un.sun_path` in use (macOS), its closing zero taken off, in bytes.
LONGEST_SOCKET_PATH_BYTES: Final = 103

_LAUNCHER: Final = Path(__file__).with_name("embedded_launcher.py")


class EmbeddedRedisFailed(Exception):
    """The embedded Redis did not come up. The message is its own last word; the rest is in redis.log."""


class EmbeddedRedis:
    """
    One redis-server on *data_directory*, as an async context manager. Its `url` may go to other processes.

    A server that ends unasked is started again (*supervised*). Configuration of *extra* comes last and wins.

    Raises:
        RedisServerNotFound: neither the PATH nor the extra `embedded` has one.
        DataDirectoryInUse: another gateway keeps its data there.
        EmbeddedRedisFailed: the server ended, or did not answer within *start_within*.
    """

    def __init__(
        self,
        data_directory: Path,
        *,
        binary: Path | None = None,
        tcp_port: int | None = None,
        extra: Mapping[str, str] | None = None,
        start_within: timedelta = timedelta(seconds=60),
        stop_within: timedelta = timedelta(seconds=10),
        supervised: bool = True,
    ) -> None:
        self.data_directory = data_directory.absolute()
        self._binary = binary
        self._tcp_port = tcp_port
        self._extra = dict(extra or {})
        self._start_within = start_within
        self._stop_within = stop_within
        self._supervised = supervised
        self._lock = DataDirectoryLock(self.data_directory)
        self._socket_directory: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def socket_path(self) -> Path:
        """Where the server listens; a short path under the temporary directory if the data's is too long."""
        return (self._socket_directory or self.data_directory) / "redis.sock"

    @property
    def url(self) -> str:
        """The address, for this process and its children."""
        return f"unix://{quote(str(self.socket_path))}?db=0"

    @property
    def tcp_url(self) -> str:
        """The address on the loopback interface; only with *tcp_port*."""
        return f"redis://127.0.0.1:{self._tcp_port}/0"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._server.pid if self._server and self._server.poll() is None else None

    async def __aenter__(self) -> Self:
        binary = self._binary or find_redis_server()
        self.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._lock.acquire()
        try:
            if len(os.fsencode(self.socket_path)) > LONGEST_SOCKET_PATH_BYTES:
                self._socket_directory = Path(tempfile.mkdtemp(prefix="gw-", dir=_short_directory()))
            self._binary = binary
            await self._start()
        except BaseException:
            await self.stop()
            raise
        if self._supervised:
            self._supervisor = asyncio.create_task(self._supervise(), name="embedded-redis-supervisor")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Let the server write what it has and end (SIGTERM is its SHUTDOWN); kill it after *stop_within*."""
        if self._supervisor is not None:
            await ended(self._supervisor)
            self._supervisor = None
        if self.pid is not None and not await self._ended_after(signal.SIGTERM):
            log.warning("embedded redis did not stop, killing it", seconds=self._stop_within.total_seconds())
            await self._ended_after(signal.SIGKILL)
        self._cut_lifeline()
        self._lock.release()
        if self._socket_directory is not None:
            shutil.rmtree(self._socket_directory, ignore_errors=True)
            self._socket_directory = None

    async def kill(self) -> None:
        """SIGKILL, as a crash would; a supervised server comes back by itself, another with `restart`."""
        await self._ended_after(signal.SIGKILL)

    async def restart(self) -> None:
        """Start again on the same data after `kill`, or stop in good order first."""
        if self.pid is not None:
            await self._ended_after(signal.SIGTERM)
        await self._start()

    async def _start(self) -> None:
        self._cut_lifeline()
        lifeline, self._lifeline = os.pipe()
        try:
            with self._log_path.open("wb") as output:
                self._server = subprocess.Popen(  # noqa: ASYNC220, S603 - one fork; no shell, our own command
                    [sys.executable, "-I", "-S", str(_LAUNCHER), str(lifeline), *self._command()],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    # The server keeps the lock open too: the directory is free when both are gone.
                    pass_fds=(lifeline, self._lock.fileno()),
                    # Its own session: Ctrl-C reaches the gateway only, which stops the server last.
                    start_new_session=True,
                    cwd=self.data_directory,
                )
        finally:
            os.close(lifeline)
        await self._until_it_answers()

    async def _until_it_answers(self) -> None:
        client = open_client(self.url, max_connections=1)
        give_up_at = time.monotonic() + self._start_within.total_seconds()
        try:
            while self.pid is not None:
                with contextlib.suppress(StoreUnavailable), store_errors():
                    if self.socket_path.exists() and await client.ping():
                        return
                if time.monotonic() >= give_up_at:
                    await self._ended_after(signal.SIGKILL)
                    raise EmbeddedRedisFailed(
                        f"the embedded Redis did not answer within {self._start_within.total_seconds():g} s; "
                        f"see {self._log_path}"
                    )
                await asyncio.sleep(0.01)
        finally:
            await client.aclose()
        raise EmbeddedRedisFailed(f"the embedded Redis ended at once: {self._last_word()}")

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            if self.pid is not None:
                continue
            status = self._server.returncode if self._server else None
            log.error("embedded redis ended unasked, starting it again", exit_status=status)
            try:
                await self._start()
            except EmbeddedRedisFailed as failure:
                log.error("embedded redis did not come back, trying again", reason=str(failure))  # noqa: TRY400 - the reason is the server's, a traceback says nothing
                await asyncio.sleep(1)

    async def _ended_after(self, signal_number: signal.Signals) -> bool:
        if self._server is None:
            return True
        with contextlib.suppress(ProcessLookupError):
            self._server.send_signal(signal_number)
        return await _becomes_true(lambda: self.pid is None, self._stop_within)

    def _command(self) -> list[str]:
        options = {
            "port": str(self._tcp_port or 0),
            "bind": "127.0.0.1",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            "dir": str(self.data_directory),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "warning",
            "logfile": "",
        } | self._extra
        return [str(self._binary), *(word for key, value in options.items() for word in (f"--{key}", value))]

    def _cut_lifeline(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    @property
    def _log_path(self) -> Path:
        return self.data_directory / "redis.log"

    def _last_word(self) -> str:
        lines = self._log_path.read_text(errors="replace").split("\n") if self._log_path.exists() else []
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else "without a word"


async def _becomes_true(condition: Callable[[], bool], patience: timedelta) -> bool:
    give_up_at = time.monotonic() + patience.total_seconds()
    while not condition():
        if time.monotonic() >= give_up_at:
            return False
        await asyncio.sleep(0.01)
    return True


def _short_directory() -> str:
    """A temporary directory is itself long on some systems; /tmp is not."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= LONGEST_SOCKET_PATH_BYTES - 40 else "/tmp"  # noqa: S108 - mkdtemp makes a private one in it
