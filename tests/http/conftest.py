"""The edge on a real server, in front of a real Redis."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import httpx
import pytest
import uvicorn
from redis.asyncio import Redis

from routers.application import Application
from routers.dependencies import Edge, TelegramEndpoint, WebhookEndpoint, attach
from routers.mount import mount
from routers.registry import providers
from routers.verification import Secret
from state.grouping import GroupedCalls
from state.inbox import Inbox
from state.keys import Keys
from state.scripts import Scripts
from tests.http.listening import listening
from tests.unit.calls import NOW, SECRET

BOT_ID: Final = 42
BOT_SECRET: Final = "tele-gram_secret"
BODY_LIMIT_BYTES: Final = 64 * 1024


@dataclass
class Served:
    """The running edge: its application and state, and a client that talks to it."""

    app: Application
    edge: Edge
    client: httpx.AsyncClient
    port: int
    failing_checks: set[str] = field(default_factory=set)


@pytest.fixture
def inbox(redis: Redis) -> Inbox:
    """The real inbox."""
    return Inbox(Scripts(GroupedCalls(redis), Keys()))


@pytest.fixture
async def served(inbox: Inbox) -> AsyncIterator[Served]:
    """The edge with one bot, a Stripe and a Cal.com, its clock stopped at NOW."""
    secrets = [Secret(SECRET)]
    edge = Edge(
        inbox,
        telegram={
            BOT_ID: TelegramEndpoint(BOT_ID, [Secret(BOT_SECRET.encode())], body_limit_bytes=BODY_LIMIT_BYTES)
        },
        webhooks={
            kind: WebhookEndpoint(kind, providers()[kind], secrets, body_limit_bytes=BODY_LIMIT_BYTES)
            for kind in ("stripe", "calcom")
        },
        clock=lambda: NOW,
    )
    failing: set[str] = set()

    async def redis_answers() -> None:
        if "redis" in failing:
            raise ConnectionError

    app = Application()
    mount(app, checks={"redis": redis_answers})
    attach(app, edge)
    async with (
        listening(uvicorn.Config(app, log_config=None, lifespan="off", proxy_headers=False)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield Served(app, edge, client, port, failing)
