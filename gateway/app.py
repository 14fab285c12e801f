"""The gateway as one ASGI application."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from gateway.gateway import Gateway
from gateway.role import Role
from gateway.runtime import Runtime, running
from gateway.settings import Settings
from routers.application import Application
from routers.dependencies import attach
from routers.mount import mount

#: Objects made and not freed yet. Events that are under way soon have Python's own 700, and are no garbage:
#: to look at them again and again takes a twentieth of all time.
LOOK_FOR_GARBAGE_AFTER: Final = 5_000


def create_app(gateway: Gateway, settings: Settings, *, redis_url: str, role: Role = Role.ALL) -> Application:
    """
    Return the application that accepts calls, handles events and delivers views.

    Its lifespan opens and closes all parts; see `gateway.runtime.running` for what can be raised there.
    """
    opened: list[Runtime] = []

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[None]:
        async with running(gateway, settings, redis_url, role) as runtime:
            opened.append(runtime)
            attach(app, runtime.edge)
            app.state.container = runtime.container
            # What is there now stays and need not be looked at again, which shortens the longest pauses.
            gc.collect()
            gc.freeze()
            gc.set_threshold(LOOK_FOR_GARBAGE_AFTER)
            app.state.drain = runtime.drain
            try:
                yield
            finally:
                await runtime.drain()
                opened.clear()

    async def redis_answers() -> None:
        await opened[0].redis.ping()

    async def worker_works() -> None:
        worker = opened[0].worker
        if worker is not None and not worker.works:
            raise RuntimeError("a loop of the worker has ended")

    app = Application(
        request_limit=settings.limits.request,
        title="fsm-gateway",
        version=version("fsm-gateway"),
        summary="Every external event becomes one change of one user's state.",
        lifespan=lifespan,
        # FastAPI's own pages take their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        # There are metrics of our own; to look for a listener costs more than to find a call's route.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    mount(app, checks={"redis": redis_answers, "worker": worker_works})
    return app
