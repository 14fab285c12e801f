"""What each feature remembers of a conversation. Neither sees the other's draft."""

from gateway.demo.bot.hotels import HOTELS, Hotel
from state import BaseStateManager


class BookingStateManager(BaseStateManager):
    """The room that is being booked."""

    feature_key = "booking"

    async def save_hotel(self, hotel_id: int) -> None:
        await self.update(hotel_id=hotel_id)

    async def get_hotel(self) -> Hotel | None:
        return HOTELS.get(await self.get_value("hotel_id", 0))

    async def save_payment(self, hotel: Hotel, amount_minor: int, currency: str) -> None:
        await self.update(hotel_id=hotel.id, paid=True, paid_minor=amount_minor, currency=currency)


class ProfileStateManager(BaseStateManager):
    """Who the person is."""

    feature_key = "profile"

    async def save_name(self, name: str) -> None:
        await self.update(name=name)

    async def get_name(self) -> str:
        return str(await self.get_value("name", "guest"))
