"""A bot that counts how often each event took effect."""

import asyncio
from typing import Any

from aiogram import Bot, F
from aiogram.types import Message

from gateway import Director, Feature, Gateway, View
from routers.payments.events import PaymentSucceeded
from state import BaseStateManager

counting = Feature("counting")


class Counter(BaseStateManager):
    """One field for each event, holding how often it was applied."""

    feature_key = "count"

    async def add(self, event_id: str) -> int:
        """Count *event_id* once more; return how many events were counted."""
        await self.set_value(event_id, await self.get_value(event_id, 0) + 1)
        return len(await self.get_payload())


@counting.chat.message(F.text == "/token")
async def token(_: Message, director: Director) -> View:
    """Show a token for payments of any amount."""
    return View(menu=director.expect(payment="any"))


@counting.chat.message(F.text.startswith("slow"))
async def count_slowly(message: Message, director: Director, bot: Bot) -> View:
    """Say that it runs, and count a message after a second."""
    await bot.send_chat_action(message.chat.id, "typing")
    await asyncio.sleep(1)
    return View(content=f"{await Counter(director.state).add(str(message.text))} counted")


@counting.chat.message(F.text)
async def count_message(message: Message, director: Director) -> View:
    """Count a message by its text."""
    return View(content=f"{await Counter(director.state).add(str(message.text))} counted")


@counting.on("payment.succeeded")
async def count_payment(event: PaymentSucceeded, director: Director) -> View:
    """Count a payment by its id."""
    return View(content=f"{await Counter(director.state).add(event.object_id)} counted")


gateway = Gateway(counting)


def counts(data: dict[str, Any]) -> dict[str, int]:
    """Return how often each event took effect, out of a conversation's data."""
    found: dict[str, int] = data.get(f"draft:{Counter.feature_key}", {})
    return found
