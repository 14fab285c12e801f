"""One process of the gateway: uvicorn on a socket that is open already, drained when it is told to stop."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from gateway.app import create_app
from gateway.gateway import Gateway
from gateway.refusal import FAILED, CommandRefused
from gateway.role import Role
from gateway.settings import Settings, WebSettings
from state.errors import PartitionsChanged, StoreMisconfigured, StoreUnavailable

log = structlog.get_logger(__name__)

#: Connections that the kernel keeps for us while we are busy.
BACKLOG = 2048

#: What is left after draining are answers that are being sent.
FINISH_REQUESTS_SECONDS = 3

#: Telegram keeps its connections; it must not be the one that meets a closing socket.
KEEP_ALIVE_SECONDS = 75


def _nobody() -> None:
    """Nobody asks whether it is ready."""


@contextmanager
def bound_socket(web: WebSettings) -> Iterator[socket.socket]:
    """
    A socket on its address that does not listen yet, closed at the end.

    Raises:
        CommandRefused: the address is taken, not ours, or no address.
    """
    with socket.socket(socket.AF_INET6 if ":" in web.host else socket.AF_INET) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((web.host, web.port))
        except OSError as error:
            raise CommandRefused([_cannot_listen(web, error)]) from error
        yield sock


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM or Ctrl-C sets. Must be called in the running loop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def run_gateway(
    gateway: Gateway,
    settings: Settings,
    redis_url: str,
    role: Role,
    sock: socket.socket | None,
    *,
    stop: asyncio.Event,
    on_ready: Callable[[], None] = _nobody,
) -> None:
    """
    Serve on *sock* (None: do the work only) until *stop*, then drain.

    What is not done after `worker.drain_seconds` stays in the inbox, for the next process. *on_ready* is
    called when all parts are open.

    Raises:
        CommandRefused: Redis cannot be used, or somebody else listens on the address.
    """
    app = create_app(gateway, settings, redis_url=redis_url, role=role)
    async with AsyncExitStack() as opened:
        # uvicorn would open the parts itself, and tell what goes wrong there as a traceback.
        await opened.enter_async_context(_opened(app))
        on_ready()
        if sock is None:
            log.info("working", pid=os.getpid())
            await stop.wait()
            log.info("draining")
        else:
            await _listen(app, settings, sock, stop)
    log.info("stopped")


@asynccontextmanager
async def _opened(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(app.router.lifespan_context(app))
        except StoreMisconfigured as error:
            raise CommandRefused(error.problems) from error
        except PartitionsChanged as error:
            raise CommandRefused([f"redis.partitions: {error}"]) from error
        except StoreUnavailable as error:
            raise CommandRefused([f"redis: {error}"], FAILED) from error
        yield


async def _listen(app: FastAPI, settings: Settings, sock: socket.socket, stop: asyncio.Event) -> None:
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # Whose word about the caller's address is believed is the gateway's own setting.
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=FINISH_REQUESTS_SECONDS,
        )
    )
    watch = asyncio.create_task(server.stop_when(stop, app, settings.web), name="stop-watch")
    try:
        await server.serve(sockets=[sock])
    except OSError as error:
        raise CommandRefused([_cannot_listen(settings.web, error)]) from error
    finally:
        watch.cancel()


def _cannot_listen(web: WebSettings, error: OSError) -> str:
    why = error.strerror or "no such address"
    return f"web: cannot listen on {web.host} port {web.port} ({why}); choose another with --port"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which would end the process by the signal and not with a code."""

    async def stop_when(self, stop: asyncio.Event, app: FastAPI, web: WebSettings) -> None:
        """Say that we leave, drain while the socket is still open, and only then close it."""
        await stop.wait()
        log.info("draining")
        try:
            app.state.edge.leaving = True
            await asyncio.sleep(web.drain_notice_seconds)
            await app.state.drain()
        finally:
            self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            name = f"[{host}]" if ":" in host else host
            log.info("listening", url=f"http://{name}:{port}", pid=os.getpid())

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
