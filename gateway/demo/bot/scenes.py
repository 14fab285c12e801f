"""What the booking feature shows at each point of the way."""

from typing import Any

from aiogram import html
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from gateway import Block, Director, Orchestrator
from gateway.demo.bot.hotels import HOTELS, Hotel
from gateway.demo.bot.links import booking_link, payment_link
from gateway.demo.bot.managers import ProfileStateManager


class HotelsScene(Orchestrator):
    """Where a booking begins: the list of hotels, under a menu that greets the user."""

    async def render_menu(self, payload: Any, director: Director) -> str:  # noqa: ARG002 - the same for any payload
        name = await ProfileStateManager(director.state).get_name()
        return f"<b>Demo Hotels</b> · {html.quote(name)}"

    async def render_content(self, payload: Any, director: Director) -> Block:  # noqa: ARG002 - the same list for all
        rows = [[_press(f"{hotel.name}, {hotel.price}", f"hotel:{hotel.id}")] for hotel in HOTELS.values()]
        return Block("Where would you like to stay?", InlineKeyboardMarkup(inline_keyboard=rows))


def offer(hotel: Hotel) -> Block:
    """One hotel, to be confirmed."""
    confirm = [[_press("Book it", "confirm")]]
    return Block(
        f"One night at <b>{hotel.name}</b>, {hotel.price}.", InlineKeyboardMarkup(inline_keyboard=confirm)
    )


def payment_keyboard(hotel: Hotel, token: str) -> InlineKeyboardMarkup:
    """The way to the payment page."""
    return _link(f"Pay {hotel.price}", payment_link(token))


def confirmed(hotel: Hotel, token: str) -> Block:
    """The booking is paid for."""
    return Block(
        f"Paid. Your room at <b>{hotel.name}</b> is booked.",
        _link("Choose your arrival time", booking_link(token)),
    )


def _press(text: str, data: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=data)


def _link(text: str, url: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text=text, url=url)]])
