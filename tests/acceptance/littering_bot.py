"""A bot whose messages have to go."""

from aiogram import F
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import Message

from gateway import Director, Feature, Gateway, View


class Shop(StatesGroup):
    """One state whose messages go, one whose messages stay."""

    paying = State()
    done = State()


shop = Feature("shop", states=Shop, garbage=[Shop.paying])


@shop.chat.message(F.text == "/pay")
async def pay(message: Message, director: Director) -> View:
    """Leave messages of every kind."""
    await director.state.set_state(Shop.paying)
    director.notice("a notice")
    await message.answer("an answer")
    return View(menu="menu", content="pay here")


@shop.chat.message(F.text == "/done")
async def done(message: Message, director: Director) -> View:
    """Leave the state."""
    await director.state.set_state(Shop.done)
    return View(menu="thank you")


gateway = Gateway(shop)
