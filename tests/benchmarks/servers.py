"""
The servers that are compared: ``python -m tests.benchmarks.servers KIND PORT REDIS_URL PARTITIONS``.

Each has the first core, those whose name ends with "listing" all. Each takes Telegram updates, and all but
those that only accept run the same handler of aiogram's; two take callbacks.
"""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Callable, Coroutine
from datetime import timedelta
from itertools import count
from typing import Any

import uvicorn
import uvloop
from aiogram import Bot, Dispatcher, F, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.types import Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiogram_fastapi_server import (  # type: ignore[import-untyped]  # the package carries no types
    SimpleRequestHandler as FastAPIRequestHandler,
)
from aiohttp import web
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import Director, Feature, Gateway
from gateway.logs import set_up_logs
from gateway.role import Role
from gateway.server import run_gateway
from gateway.settings import BotSettings, RedisSettings, Settings, TelegramSettings
from gateway.settings.callers import SourceSettings
from gateway.settings.log import LogLevel
from routers.payments.events import PaymentSucceeded
from state.connection import connect
from state.conversation import Conversation
from state.envelope import Envelope
from state.grouping import GroupedCalls
from state.inbox import Inbox
from state.keys import Keys
from state.scripts import Scripts

BOT_ID = 42
TOKEN = f"{BOT_ID}:bench"
STRIPE_SECRET = "whsec_of_the_benchmarks"
SECRET = "bench"
PATH = f"/telegram/{BOT_ID}"
AddHandler = Callable[[Router], None]
Serve = Callable[[socket.socket, str, int], Coroutine[Any, Any, None]]


def counting(router: Router) -> None:
    """The handler that every compared server runs: read the data, change it, set the state."""

    @router.message()
    async def handle(message: Message, state: FSMContext) -> None:
        data = await state.get_data()
        await state.update_data(count=data.get("count", 0) + 1, text=message.text)
        await state.set_state("Bench:counting")


def counting_among_fifty(router: Router) -> None:
    """The same handler in a bot of five features, behind five handlers of states and of buttons in each."""
    for feature in range(5):
        part = Router()
        for number in range(5):
            part.message.register(_never, State(f"step{number}", f"Feature{feature}"), F.text)
            part.message.register(_never, F.text == f"Button {number} of {feature}")
        router.include_router(part)
    last = Router()
    counting(last)
    router.include_router(last)


async def _never(message: Message) -> None:
    raise AssertionError(f"nobody asks for {message.text}")


def listing(router: Router) -> None:
    """A handler that shows the order in which updates are handled."""

    @router.message()
    async def handle(message: Message, state: FSMContext) -> None:
        data = await state.get_data()
        await state.update_data(handled=[*data.get("handled", []), message.text])


def ours(add_handler: AddHandler, role: Role = Role.ALL) -> Serve:
    """The gateway, web and worker in one process; with Role.WEB nobody handles what it accepts."""

    async def serve(sock: socket.socket, redis_url: str, partitions: int) -> None:
        feature = Feature("bench")
        add_handler(feature.chat)
        bot = BotSettings(token=SecretStr(TOKEN), secret_token=SecretStr(SECRET))
        settings = Settings(
            telegram=TelegramSettings(bots={"main": bot}), redis=RedisSettings(partitions=partitions)
        )
        await run_gateway(Gateway(feature), settings, redis_url, role, sock, stop=asyncio.Event())

    return serve


def callbacks(role: Role) -> Serve:
    """The gateway with an account at Stripe, and a feature that waits for payments."""

    async def serve(sock: socket.socket, redis_url: str, _: int) -> None:
        feature = Feature("bench")

        @feature.on("payment.succeeded")
        async def paid(event: PaymentSucceeded, director: Director) -> None:
            await director.state.update_data(paid=event.amount_minor)
            await director.state.set_state("Bench:paid")

        bot = BotSettings(token=SecretStr(TOKEN), secret_token=SecretStr(SECRET))
        stripe = SourceSettings.model_validate({"kind": "stripe", "secrets": [STRIPE_SECRET]})
        settings = Settings(telegram=TelegramSettings(bots={"main": bot}), sources={"stripe": stripe})
        await run_gateway(Gateway(feature), settings, redis_url, role, sock, stop=asyncio.Event())

    return serve


def _dispatcher(redis_url: str, add_handler: AddHandler, *, isolation: bool) -> Dispatcher:
    """aiogram's dispatcher with its Redis storage."""
    # In background mode the number of handlers at once has no limit, and the pool must not be what fails.
    storage = RedisStorage.from_url(
        redis_url,
        connection_kwargs={"max_connections": 10_000},
        key_builder=DefaultKeyBuilder(with_bot_id=True),
    )
    lock = storage.create_isolation() if isolation else None
    dispatcher = Dispatcher(storage=storage, events_isolation=lock)
    router = Router()
    add_handler(router)
    dispatcher.include_router(router)
    return dispatcher


def aiogram(
    add_handler: AddHandler, *, background: bool = False, isolation: bool = False, frozen: bool = False
) -> Serve:
    """
    aiogram's own webhook handler under aiohttp, with its Redis storage.

    *frozen*: what is there after start-up is left out of Python's searches for garbage, as the gateway does.
    """

    async def serve(sock: socket.socket, redis_url: str, _: int) -> None:
        dispatcher = _dispatcher(redis_url, add_handler, isolation=isolation)
        app = web.Application()
        handler = SimpleRequestHandler(
            dispatcher, Bot(TOKEN), handle_in_background=background, secret_token=SECRET
        )
        handler.register(app, PATH)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, sock).start()
        if frozen:
            gc.collect()
            gc.freeze()
        await asyncio.Event().wait()

    return serve


async def aiogram_fastapi_server(sock: socket.socket, redis_url: str, _: int) -> None:
    """aiogram-fastapi-server as it comes: FastAPI under uvicorn, in background mode."""
    app = FastAPI()
    handler = FastAPIRequestHandler(
        _dispatcher(redis_url, counting, isolation=False), Bot(TOKEN), secret_token=SECRET
    )
    handler.register(app, PATH)
    await _uvicorn(app, sock)


async def bare(sock: socket.socket, _: str, __: int) -> None:
    """uvicorn answering 200 to anything: the limit of the server."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await _answer(scope, receive, send)

    await _uvicorn(app, sock)


async def bare_accept(sock: socket.socket, redis_url: str, partitions: int) -> None:
    """uvicorn, and one grouped accept for each request: the limit of the design."""
    inbox = Inbox(Scripts(GroupedCalls(await connect(redis_url)), Keys(partitions=partitions)))
    numbers = count()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        number = next(numbers)
        envelope = Envelope(
            "bench", "bench", str(number), 0, body, conversation=Conversation.private(42, number % 500)
        )
        await inbox.accept(envelope, remember_for=timedelta(hours=1))
        await Response()(scope, receive, send)

    await _uvicorn(app, sock)


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    await Request(scope, receive).body()
    await Response()(scope, receive, send)


async def _uvicorn(app: ASGIApp, sock: socket.socket) -> None:
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    await uvicorn.Server(config).serve([sock])


#: Those that take Telegram's updates and handle them.
COMPARED: dict[str, Serve] = {
    "ours": ours(counting),
    "aiogram": aiogram(counting),
    "aiogram with gc.freeze()": aiogram(counting, frozen=True),
    "aiogram isolated": aiogram(counting, isolation=True),
    "aiogram background": aiogram(counting, background=True),
    "aiogram background isolated": aiogram(counting, background=True, isolation=True),
    "aiogram-fastapi-server": aiogram_fastapi_server,
}
#: Those that answer and handle nothing.
ACCEPTING: dict[str, Serve] = {
    "ours, accepting only": ours(counting, Role.WEB),
    "bare uvicorn": bare,
    "bare uvicorn and one accept": bare_accept,
}
#: Those whose bot has more than one handler.
CROWDED: dict[str, Serve] = {
    "ours, fifty handlers": ours(counting_among_fifty),
    "aiogram, fifty handlers": aiogram(counting_among_fifty),
    "aiogram isolated, fifty handlers": aiogram(counting_among_fifty, isolation=True),
}
#: Those that show the order in which they handle updates.
LISTING: dict[str, Serve] = {
    "ours listing": ours(listing),
    "aiogram listing": aiogram(listing),
    "aiogram isolated listing": aiogram(listing, isolation=True),
}
KINDS: dict[str, Serve] = {
    **COMPARED,
    **ACCEPTING,
    **CROWDED,
    **LISTING,
    "ours, callbacks": callbacks(Role.ALL),
    "ours, callbacks accepted only": callbacks(Role.WEB),
}


if __name__ == "__main__":
    kind = sys.argv[1]
    if hasattr(os, "sched_setaffinity"):
        # Two that are compared as a pair have all cores.
        cores = set(range(os.cpu_count() or 1)) if kind in LISTING else {0}
        os.sched_setaffinity(0, cores)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[2])))
    set_up_logs(LogLevel.WARNING)
    uvloop.run(KINDS[kind](listener, sys.argv[3], int(sys.argv[4])))
