"""A bot that litters, and what is seen of it."""

import pytest
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from gateway import Block, Director, Feature
from gateway.demo.bot_api import BotApi
from gateway.runtime import Runtime
from gateway.settings import Settings, TelegramSettings, WorkerSettings
from routers.event import OtherEvent
from state.conversation import Conversation
from state.tally import Tallied, Tally
from tests.redis.conftest import Outside


class Shop(StatesGroup):
    """Where a customer can be."""

    paying = State()
    done = State()


BUTTON = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Pay", callback_data="pay")]])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """
    Leases that outlast a busy machine, and a bot that may litter quickly.

    A lost lease has the whole effect done anew, which is right too.
    """
    (bot,) = settings.telegram.bots.values()
    quick = bot.model_copy(update={"sends_per_second": 1000, "allow_paid_broadcast": True})
    return settings.model_copy(
        update={
            "worker": WorkerSettings(lease_seconds=10),
            "telegram": TelegramSettings(bots={"main": quick}),
        }
    )


def shop() -> Feature:
    """Return a bot that litters while a customer pays."""
    feature = Feature("shop", states=Shop, garbage=[Shop.paying])

    @feature.on("shop.pay")
    async def pay(event: OtherEvent, director: Director) -> None:
        await director.state.set_state(Shop.paying)
        for number in range(int(event.object_id)):
            director.notice(Block(f"notice {number}", BUTTON))

    @feature.on("shop.done")
    async def done(event: OtherEvent, director: Director) -> None:
        await director.state.set_state(Shop.done)

    return feature


async def lying_there(runtime: Runtime, outside: Outside, api: BotApi, count: int) -> list[int]:
    """Have the conversation track *count* messages of the bot; return their ids."""
    bot = runtime.container.bot
    async with runtime.container.conversation(bot, 501) as director:
        await director.state.set_state(Shop.paying)
        ids = []
        for _ in range(count):
            message = await bot.send_message(501, "garbage", reply_markup=BUTTON)
            director.garbage.track(message)
            ids.append(message.message_id)
    await outside.settled()
    api.calls.clear()
    return ids


async def leave(outside: Outside, conversation: Conversation) -> None:
    """Leave the state that is garbage."""
    await outside.send("shop.done", to=conversation)
    await outside.settled()


async def unremoved(outside: Outside) -> int:
    """Count the messages that had to stay."""
    return (await Tally(outside.calls, outside.keys).totals())[Tallied.UNREMOVED]
