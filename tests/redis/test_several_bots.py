"""Several bots in one gateway: each with its own features, state and chats."""

from collections.abc import AsyncIterator

import pytest
from aiogram.types import Message
from pydantic import HttpUrl, SecretStr
from redis.asyncio import Redis

from gateway import Director, Feature, Gateway, View
from gateway.demo.bot_api import BotApi
from gateway.errors import UnknownBot
from gateway.runtime import running
from gateway.settings import BotSettings, Settings, TelegramSettings
from routers.event import OtherEvent
from state.conversation import Conversation
from tests.redis.conftest import Outside

TOKENS = ("42:AAbbcc", "43:DDeeff")
USER = 501


@pytest.fixture
async def telegram() -> AsyncIterator[BotApi]:
    """A Bot API with two bots, both of which the user has opened."""
    async with BotApi(tokens=TOKENS) as telegram:
        for account in telegram.accounts.values():
            account.chats.open(USER)
        yield telegram


@pytest.fixture
def settings(telegram: BotApi) -> Settings:
    """Both bots, under their names."""
    bots = {
        name: BotSettings(token=SecretStr(token), secret_token=SecretStr("s"), api_base=HttpUrl(telegram.url))
        for name, token in zip(("shop", "desk"), TOKENS, strict=True)
    }
    return Settings(telegram=TelegramSettings(bots=bots))


def _feature(name: str, *bots: str) -> Feature:
    feature = Feature(name, bots=bots)

    @feature.chat.message()
    async def said(message: Message, director: Director) -> View:
        await director.state.update_data({name: message.text})
        return View(content=f"{name} heard {message.text}")

    @feature.on("told")
    async def told(event: OtherEvent) -> View:
        return View(content=f"{name} was told {event.object_id}")

    return feature


def _message(text: str, update_id: int) -> dict[str, object]:
    user = {"id": USER, "is_bot": False, "first_name": "Ada"}
    chat = {"id": USER, "type": "private", "first_name": "Ada"}
    return {
        "update_id": update_id,
        "message": {"message_id": update_id, "date": 1, "chat": chat, "from": user, "text": text},
    }


async def test_each_bot_has_its_own_features_and_state(
    telegram: BotApi, settings: Settings, outside: Outside, redis_url: str
) -> None:
    """The first feature that a bot has takes its messages and its events; the other bot's never do."""
    gateway = Gateway(_feature("selling", "shop"), _feature("helping", "desk"))
    async with running(gateway, settings, redis_url) as runtime:
        await outside.update(_message("hello", 1), bot_id=42)
        await outside.update(_message("help", 1), bot_id=43)
        await outside.send("told", to=Conversation.private(43, USER), object_id="so")
        await outside.settled()
        storage = runtime.container.storage
        kept = [
            await storage.get_data(Conversation.private(bot_id, USER).storage_key()) for bot_id in (42, 43)
        ]

    shown = [
        account.chats[USER].texts()
        for account in sorted(telegram.accounts.values(), key=lambda each: each.id)
    ]
    assert kept == [{"selling": "hello"}, {"helping": "help"}]
    assert shown == [["selling heard hello"], ["helping was told so"]]


def test_a_feature_for_a_bot_that_is_not_configured_is_refused() -> None:
    """It would wait for ever; the refusal names the bots that there are."""
    with pytest.raises(UnknownBot, match="'hop'; there are: desk, shop"):
        Gateway(_feature("selling", "hop")).bind({"shop": 42, "desk": 43})


def test_each_bot_is_sent_the_updates_that_its_features_handle() -> None:
    """Another bot's handlers ask for nothing here."""
    inline = Feature("inline", bots=["shop"])

    @inline.chat.inline_query()
    async def found() -> None:
        """Never called."""

    gateway = Gateway(inline, _feature("helping", "desk"))
    gateway.bind({"shop": 42, "desk": 43})

    assert "inline_query" in gateway.allowed_updates(42)
    assert "inline_query" not in gateway.allowed_updates(43)


async def test_a_scene_of_another_bot_is_unknown_here(redis: Redis) -> None:
    """Scenes are a feature's, and go with it."""
    del redis
    gateway = Gateway(_feature("selling", "shop"), _feature("helping"))
    gateway.bind({"shop": 42, "desk": 43})

    assert set(gateway.features_of(43)) == {"helping"}
    assert set(gateway.features_of(42)) == {"selling", "helping"}
