"""A bot at work in this process: real Redis, real delivery, Telegram's stand-in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import uvicorn
from pydantic import HttpUrl, SecretStr
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import Route

from gateway import Feature, Gateway, rate_limits
from gateway.demo.bot_api import BotApi
from gateway.reconciler import Reconciler
from gateway.runtime import Runtime, running
from gateway.settings import BotSettings, Settings, TelegramSettings, WorkerSettings
from routers.asker import open_asker
from routers.dependencies import WebhookEndpoint
from routers.event import OtherEvent
from routers.registry import providers
from routers.telegram.addressing import address
from routers.verification import Secret
from state.backlog import Backlog
from state.budgets import Limit
from state.conversation import Conversation
from state.envelope import Envelope
from state.grouping import GroupedCalls
from state.inbox import Disposition, Inbox
from state.inquiries import Inquiries
from state.keys import Keys
from state.scripts import Scripts
from tests.http.listening import listening
from tests.redis.asked import Api
from tests.waiting import wait_until

Run = Callable[[Feature | Gateway], Awaitable[Runtime]]


class Outside:
    """Those who send events, without HTTP; and what they can see."""

    def __init__(self, redis: Redis) -> None:
        self.calls = GroupedCalls(redis)
        self.keys = Keys()
        self.scripts = Scripts(self.calls, self.keys)
        self.inbox = Inbox(self.scripts)
        self._sent = 0

    async def send(
        self,
        event_type: str,
        *,
        to: Conversation | None,
        source: str = "service",
        object_id: str = "",
        token: str | None = None,
    ) -> Disposition:
        """Send one event; it is new each time."""
        self._sent += 1
        number = str(self._sent)
        event = OtherEvent(
            type=event_type,
            provider=source,
            object_id=object_id or number,
            occurred_at=datetime.now(UTC),
        )
        envelope = Envelope(source, event_type, number, 0, b"{}", event.encode(), to, token)
        return await self.inbox.accept(envelope, remember_for=timedelta(hours=1))

    async def update(self, update: Mapping[str, Any], *, bot_id: int = 42) -> None:
        """Have Telegram send *update*, and wait for what comes of it."""
        await self.accept(update, bot_id=bot_id)
        await self.settled()

    async def accept(self, update: Mapping[str, Any], *, bot_id: int = 42) -> None:
        """Have Telegram send *update*."""
        found = address(update, bot_id)
        envelope = Envelope(
            f"telegram:{bot_id}",
            found.type,
            found.idempotency_key,
            0,
            orjson.dumps(update),
            conversation=found.conversation,
        )
        await self.inbox.accept(envelope, remember_for=timedelta(hours=1), urgent=found.urgent)

    async def settled(self) -> None:
        """Return when nothing is owed."""
        backlog = Backlog(self.calls, self.keys)

        async def empty() -> bool:
            return not await backlog.owed()

        await wait_until(empty, description="nothing is owed", seconds=20)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    """Telegram's stand-in, with one open chat."""
    async with BotApi() as api:
        api.chats.open(501)
        yield api


@pytest.fixture
def outside(redis: Redis) -> Outside:
    """The senders."""
    return Outside(redis)


@pytest.fixture
def conversation(api: BotApi) -> Conversation:
    """The user's private chat with the bot."""
    return Conversation.private(api.account.id, 501)


@pytest.fixture
def settings(api: BotApi) -> Settings:
    """The bot's settings, with leases that end soon, but not while a busy machine makes us wait."""
    bot = BotSettings(token=SecretStr(api.token), secret_token=SecretStr("s"), api_base=HttpUrl(api.url))
    return Settings(telegram=TelegramSettings(bots={"main": bot}), worker=WorkerSettings(lease_seconds=4))


@pytest.fixture
def chat_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """One chat takes any number of messages: tests need not wait, but those of the limits themselves."""
    for name in ("CHAT_LIMITS", "GROUP_LIMITS"):
        monkeypatch.setattr(rate_limits, name, (Limit(1000, timedelta(seconds=1)),))


@pytest.fixture
async def run(settings: Settings, redis: Redis, redis_url: str, chat_limits: None) -> AsyncIterator[Run]:
    """Run a bot of one feature; several calls run several workers."""
    del redis, chat_limits  # one empties the store first, the other is asked for its effect
    async with AsyncExitStack() as opened:

        async def run(bot: Feature | Gateway) -> Runtime:
            gateway = bot if isinstance(bot, Gateway) else Gateway(bot)
            return await opened.enter_async_context(running(gateway, settings, redis_url))

        yield run


@pytest.fixture
async def provider_api() -> AsyncIterator[Api]:
    """The API, on a port of its own."""
    api = Api()
    app = Starlette(routes=[Route("/{path:path}", api.answer, methods=["GET", "POST"])])
    async with listening(uvicorn.Config(app, log_config=None, lifespan="off")) as port:
        api.url = f"http://127.0.0.1:{port}"
        yield api


@pytest.fixture
async def asking(provider_api: Api, outside: Outside) -> AsyncIterator[Callable[..., Reconciler]]:
    """A reconciler of one source, whose provider's API is the stand-in."""
    async with open_asker(answer_within=timedelta(seconds=2)) as asker:

        def of(kind: str, **options: Any) -> Reconciler:
            provider = providers()[kind].configured({**options, "api_base": provider_api.url})
            endpoint = WebhookEndpoint(kind, provider, [Secret(b"the-key")])
            inquiries = Inquiries(outside.calls, outside.keys)
            return Reconciler({kind: endpoint}, asker, outside.inbox, inquiries)

        yield of
