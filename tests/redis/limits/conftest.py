"""A bot that is limited as Telegram limits it."""

import pytest
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

from gateway import Block, Feature, View
from gateway.settings import Settings, WorkerSettings
from routers.event import OtherEvent
from state.conversation import Conversation


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Leases that outlast a busy machine: whoever takes over sends what was not recorded yet again."""
    return settings.model_copy(update={"worker": WorkerSettings(lease_seconds=10)})


@pytest.fixture
def chat_limits() -> None:
    """The real ones."""


def shop() -> Feature:
    """Return a bot that shows what it is told to, with a button."""
    feature = Feature("shop")
    button = InlineKeyboardButton(text="Press", callback_data="press")

    @feature.on("shop.show")
    async def show(event: OtherEvent) -> View:
        return View(content=Block(event.object_id, InlineKeyboardMarkup(inline_keyboard=[[button]])))

    @feature.chat.message()
    async def hello(message: Message) -> View:
        return View(content="hello")

    @feature.chat.callback_query()
    async def pressed(query: CallbackQuery) -> None:
        """Nothing: the button's spinner ends all the same."""

    return feature


def user_chat(user_id: int) -> Conversation:
    """Return a user's private chat with the bot."""
    return Conversation.private(42, user_id)
