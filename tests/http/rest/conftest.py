"""A whole gateway behind real HTTP: REST in front, the worker behind it, Telegram's stand-in beside it."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import HttpUrl, SecretStr
from redis.asyncio import Redis

from gateway.app import create_app
from gateway.demo.bot_api import BotApi
from gateway.settings import BotSettings, Settings, TelegramSettings, WebSettings
from state.api_keys import ApiKeys, Scope
from state.backlog import Backlog
from state.grouping import GroupedCalls
from state.keys import Keys
from state.scripts import Scripts
from state.storage import ConversationStorage
from tests.http.listening import listening_socket
from tests.http.rest.shop import shop_gateway
from tests.waiting import wait_until

USER = 501


@dataclass
class Rest:
    """The running gateway as another service sees it, and what only a test may look at."""

    client: httpx.AsyncClient
    api: BotApi
    scripts: Scripts
    keys: ApiKeys
    storage: ConversationStorage
    headers: dict[str, str] = field(default_factory=dict)
    """Those of a key that may do everything."""

    @property
    def bot_id(self) -> int:
        """The bot called main."""
        return self.api.account.id

    async def key(
        self, *scopes: Scope, name: str | None = None, bots: frozenset[int] = frozenset(), **more: Any
    ) -> dict[str, str]:
        """Make a key of these scopes, or of all; return the header that carries it."""
        now_ms = time.time_ns() // 1_000_000
        _, text = await self.keys.create(
            name, frozenset(scopes or Scope), bots=bots, **{"now_ms": now_ms, **more}
        )
        return {"Authorization": f"Bearer {text}"}

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Call with the key that may do everything."""
        headers = {**self.headers, **request.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **request)

    async def settled(self) -> None:
        """Return when nothing is owed."""
        backlog = Backlog(self.scripts.calls, self.scripts.keys)

        async def empty() -> bool:
            return not await backlog.owed()

        await wait_until(empty, description="nothing is owed", seconds=40)


@pytest.fixture
def configured() -> dict[str, Any]:
    """Further sections of the settings, for tests that have some."""
    return {}


@pytest.fixture
async def rest(redis: Redis, redis_url: str, configured: dict[str, Any]) -> AsyncIterator[Rest]:
    """The shop, served, with one open chat and a key that may do everything."""
    async with BotApi() as api:
        api.chats.open(USER)
        bot = BotSettings(token=SecretStr(api.token), secret_token=SecretStr("s"), api_base=HttpUrl(api.url))
        settings = Settings(
            telegram=TelegramSettings(bots={"main": bot}),
            web=WebSettings(body_limit_bytes=64 * 1024),
            **configured,
        )
        app = create_app(shop_gateway(), settings, redis_url=redis_url)
        listener = listening_socket()
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_keep_alive=75))
        serving = asyncio.create_task(server.serve([listener]), name="uvicorn")
        calls = GroupedCalls(redis)
        keys = Keys()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            await wait_until(lambda: server.started or serving.done(), description="the gateway serves")
            async with httpx.AsyncClient(base_url=address, timeout=30) as client:
                scripts = Scripts(calls, keys)
                storage = ConversationStorage(redis, scripts=scripts)
                rest = Rest(client, api, scripts, ApiKeys(calls, keys), storage)
                rest.headers = await rest.key(name="office")
                yield rest
        finally:
            server.should_exit = True
            await serving
            listener.close()
