"""
The servers of the suite `rest`: ``python -m tests.benchmarks.rest_servers KIND PORT REDIS_URL``.

They run on the first core. The gateway takes calls only, as with ``--role web``: the edge is measured.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import BaseModel, SecretStr

from gateway import Feature, Gateway
from gateway.logs import set_up_logs
from gateway.role import Role
from gateway.server import run_gateway
from gateway.settings import BotSettings, Settings, TelegramSettings
from gateway.settings.log import LogLevel
from state.connection import connect

Serve = Callable[[socket.socket, str], Coroutine[Any, Any, None]]


async def ours(sock: socket.socket, redis_url: str) -> None:
    """The gateway."""
    bot = BotSettings(token=SecretStr("42:bench"), secret_token=SecretStr("bench"))
    settings = Settings(telegram=TelegramSettings(bots={"main": bot}))
    await run_gateway(Gateway(Feature("bench")), settings, redis_url, Role.WEB, sock, stop=asyncio.Event())


class Body(BaseModel):
    """Any event."""

    meta: dict[str, Any]
    payload: dict[str, Any]


async def bare(sock: socket.socket, redis_url: str) -> None:
    """A FastAPI route that validates a body and calls Redis once, with redis-py as it comes."""
    redis = await connect(redis_url)
    app = FastAPI()

    @app.post("/v1/events")
    async def take(body: Body) -> dict[str, str]:
        entry = await redis.xadd("events", {"e": body.model_dump_json()})
        return {"id": str(entry)}

    @app.patch("/v1/bots/main/users/{user}/drafts/shop")
    async def patch(user: int, body: dict[str, Any]) -> dict[str, Any]:
        await redis.hset(f"draft:{user}", mapping={name: str(value) for name, value in body.items()})
        return body

    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    await uvicorn.Server(config).serve([sock])


KINDS: dict[str, Serve] = {"ours": ours, "bare FastAPI and one call of Redis": bare}


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[2])))
    set_up_logs(LogLevel.WARNING)
    uvloop.run(KINDS[sys.argv[1]](listener, sys.argv[3]))
