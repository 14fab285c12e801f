"""The profile feature: who the user is."""

from aiogram import html
from aiogram.filters import Command
from aiogram.types import Message

from gateway import Director, Feature, View
from gateway.demo.bot.managers import ProfileStateManager

profile = Feature("profile", managers=[ProfileStateManager])


@profile.chat.message(Command("profile"))
async def show(_: Message, director: Director) -> View:
    """Say what is known."""
    name = await ProfileStateManager(director.state).get_name()
    return View(content=f"You are {html.quote(name)}.")
