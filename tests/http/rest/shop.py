"""The bot that other services call in these tests."""

from typing import Any

from aiogram.fsm.state import State, StatesGroup
from aiogram.types import Message
from pydantic import BaseModel

from gateway import Director, Feature, Gateway, Orchestrator, View, dead_letter, park
from gateway.orchestrator import Guard
from routers.events.event import ServiceEvent
from routers.payments.events import PaymentSucceeded
from state import BaseStateManager


class Shop(StatesGroup):
    """Where a customer can be."""

    browsing = State()
    paying = State()
    paid = State()


class ShopScene(Orchestrator):
    """Shows what is for sale."""

    async def render_content(self, payload: Any, director: Director) -> str:
        """Name the item."""
        return f"For sale: {payload['item']}"


class Profile(BaseModel):
    """What is known of a customer."""

    name: str = ""
    age: int | None = None


class ProfileStateManager(BaseStateManager[Profile]):
    """A draft with a model."""

    feature_key = "profile"


class Vault(Orchestrator):
    """Lets nobody in."""

    async def render_content(self, payload: Any, director: Director) -> str:
        """Never called."""
        raise AssertionError


class Nobody(Guard):
    """Refuses everybody."""

    async def check_access(self, director: Director, orchestrator: Orchestrator, payload: Any) -> bool:
        """Refuse."""
        return False


def shop_gateway() -> Gateway:
    """Return a bot of its own: an aiogram router has one parent for life."""
    shop = Feature("shop", states=Shop, garbage=[Shop.paying], scene=ShopScene(Shop.browsing))

    @shop.on("shop.order")
    async def order(event: ServiceEvent, director: Director) -> View:
        await BaseStateManager(director.state, "shop").update(**event.payload)
        await director.state.set_state(Shop.paying)
        return View(content="Ordered")

    @shop.on("shop.parcel", state=Shop.paid, otherwise=park(hours=1))
    async def parcel(event: ServiceEvent, director: Director) -> None:
        await BaseStateManager(director.state, "shop").append("parcels", event.payload["number"])

    @shop.on("shop.complaint", state=Shop.paid, otherwise=dead_letter)
    async def complaint(event: ServiceEvent) -> None:
        raise AssertionError

    @shop.on("payment.succeeded")
    async def paid(event: PaymentSucceeded, director: Director) -> None:
        basket = BaseStateManager(director.state, "shop")
        await basket.update(paid_minor=event.amount_minor)
        await basket.increment("payments")
        await director.state.set_state(Shop.paid)

    @shop.chat.message()
    async def said(message: Message, director: Director) -> None:
        await BaseStateManager(director.state, "shop").increment("messages")

    return Gateway(shop, Feature("vault", scene=Vault(), guards=[Nobody()], managers=[ProfileStateManager]))
