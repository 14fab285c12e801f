"""A bot that writes down each event in the order in which it took effect."""

from typing import Any

from aiogram import F
from aiogram.types import Message

from gateway import Director, Feature, Gateway, View
from routers.bookings.events import BookingCreated
from routers.events.event import ServiceEvent
from routers.payments.events import PaymentSucceeded
from state import BaseStateManager

journal = Feature("journal")


class Journal(BaseStateManager):
    """One list for each source."""

    feature_key = "journal"

    async def write(self, source: str, name: str) -> View:
        """Add *name* to what came from *source*; show how many there are in all."""
        await self.set_value(source, [*await self.get_value(source, []), name])
        return View(content=f"{sum(map(len, (await self.get_payload()).values()))} events")


@journal.chat.message(F.text == "/token")
async def token(_: Message, director: Director) -> View:
    """Show a token for payments of any amount, and for bookings."""
    return View(menu=director.expect(payment="any"))


@journal.chat.message(F.text)
async def message(message: Message, director: Director) -> View:
    """Write a message down by its text."""
    return await Journal(director.state).write("telegram", str(message.text))


@journal.on("payment.succeeded")
async def payment(event: PaymentSucceeded, director: Director) -> View:
    """Write a payment down by its id."""
    return await Journal(director.state).write("stripe", event.object_id)


@journal.on("booking.created")
async def booking(event: BookingCreated, director: Director) -> View:
    """Write a booking down by its id."""
    return await Journal(director.state).write("calcom", event.object_id)


@journal.on("note.rest")
async def note(event: ServiceEvent, director: Director) -> View:
    """Write what a service says over REST down by its name."""
    return await Journal(director.state).write("rest", event.payload["name"])


@journal.on("note.stream")
async def entry(event: ServiceEvent, director: Director) -> View:
    """Write what a service says in its stream down by its name."""
    return await Journal(director.state).write("stream", event.payload["name"])


gateway = Gateway(journal)


def written(data: dict[str, Any]) -> dict[str, list[str]]:
    """Return what took effect, by source, out of a conversation's data."""
    found: dict[str, list[str]] = data.get(f"draft:{Journal.feature_key}", {})
    return found
