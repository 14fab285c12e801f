"""The demo's stage: a real Redis, a real gateway on a real port, and a stand-in for Telegram."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import httpx
from pydantic import HttpUrl, SecretStr

from gateway.demo.bot import gateway
from gateway.demo.bot_api import BotApi
from gateway.embedded import EmbeddedRedis
from gateway.role import Role
from gateway.server import bound_socket, run_gateway
from gateway.settings import (
    BotSettings,
    Settings,
    SourceSecret,
    SourceSettings,
    TelegramSettings,
    WebSettings,
)
from state import ConversationStorage
from state.backlog import Backlog
from state.connection import open_client
from state.conversation import Conversation
from state.grouping import GroupedCalls
from state.keys import Keys

#: Who plays the user.
USER_ID = 7001
#: A step that has not happened after so long does not happen.
PATIENCE_SECONDS = 15.0
_LOOK_EVERY_SECONDS = 0.01


class Miss(Exception):
    """Something that the demo promises did not happen. The message says what."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the callers prove themselves with; new for each demo."""

    telegram: str = field(default_factory=lambda: token_hex(16))
    stripe: str = field(default_factory=lambda: f"whsec_{token_hex(16)}")
    calcom: str = field(default_factory=lambda: token_hex(16))


@dataclass(frozen=True, slots=True)
class Stage:
    """What the demo's players act on and look at."""

    api: BotApi
    http: httpx.AsyncClient
    storage: ConversationStorage
    backlog: Backlog
    secrets: Secrets
    url: str

    @property
    def conversation(self) -> Conversation:
        """The user's conversation with the bot."""
        return Conversation.private(self.api.account.id, USER_ID)

    async def state(self) -> str | None:
        """The user's state in Redis."""
        return await self.storage.get_state(self.conversation.storage_key())

    async def data(self) -> dict[str, object]:
        """The user's data in Redis, the drafts among them."""
        return await self.storage.get_data(self.conversation.storage_key())

    def texts(self) -> list[str]:
        """The bot's messages, as the user sees them now."""
        chat = self.api.chats.get(USER_ID)
        return chat.texts() if chat is not None else []

    async def settled(self) -> None:
        """
        Return when every accepted event has ended and everything owed to Telegram has been paid.

        Raises:
            Miss: that takes too long.
        """
        async with _patience("every event to end"):
            while await self.backlog.owed():  # noqa: ASYNC110 - Redis tells nobody that it is empty
                await asyncio.sleep(_LOOK_EVERY_SECONDS)


@asynccontextmanager
async def _patience(what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield
    except TimeoutError:
        raise Miss(f"waited {PATIENCE_SECONDS:g} s for {what}") from None


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """Start everything, and stop it in reverse; nothing is left behind."""
    async with AsyncExitStack() as opened:
        directory = opened.enter_context(tempfile.TemporaryDirectory(prefix="gateway-demo-"))
        redis = await opened.enter_async_context(EmbeddedRedis(Path(directory)))
        api = await opened.enter_async_context(BotApi())
        secrets = Secrets()
        settings = _settings(api, secrets)
        sock = opened.enter_context(bound_socket(settings.web))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        stop = asyncio.Event()
        serving = asyncio.create_task(
            run_gateway(gateway, settings, redis.url, Role.ALL, sock, stop=stop), name="gateway"
        )
        opened.push_async_callback(_stopped, serving, stop)
        http = await opened.enter_async_context(httpx.AsyncClient(base_url=url))
        client = open_client(redis.url)
        opened.push_async_callback(client.aclose)
        calls, keys = GroupedCalls(client), Keys()
        storage = ConversationStorage(client)
        await _ready(http, serving)
        yield Stage(api, http, storage, Backlog(calls, keys), secrets, url)


def _settings(api: BotApi, secrets: Secrets) -> Settings:
    bot = BotSettings(
        token=SecretStr(api.token),
        secret_token=SecretStr(secrets.telegram),
        api_base=HttpUrl(api.url),
    )
    return Settings(
        telegram=TelegramSettings(bots={"main": bot}),
        sources={
            "stripe": SourceSettings(kind="stripe", secrets=(_secret(secrets.stripe),)),
            "calcom": SourceSettings(kind="calcom", secrets=(_secret(secrets.calcom),)),
        },
        web=WebSettings(port=0),
    )


def _secret(value: str) -> SourceSecret:
    return SourceSecret(value=SecretStr(value))


async def _ready(http: httpx.AsyncClient, serving: asyncio.Task[None]) -> None:
    async with _patience("the gateway to be ready"):
        while True:
            if serving.done():
                await serving
            with suppress(httpx.TransportError):
                if (await http.get("/readyz")).is_success:
                    return
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def _stopped(serving: asyncio.Task[None], stop: asyncio.Event) -> None:
    stop.set()
    await serving
