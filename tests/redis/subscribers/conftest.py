"""A subscriber, settings in which it asks for something, and a bot whose states change."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiogram.fsm.state import State, StatesGroup
from aiohttp import web
from pydantic import HttpUrl, SecretStr
from standardwebhooks.webhooks import Webhook

from gateway import Director, Feature
from gateway.settings import Settings, SubscriberSettings
from gateway.subscribers import teller
from routers.event import OtherEvent

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Booking(StatesGroup):
    """The bot's states."""

    choosing = State()
    confirmed = State()


@dataclass
class Crm:
    """A subscriber: what it was told, and how it answers."""

    url: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """One for each call, then 204."""

    async def receive(self, request: web.Request) -> web.Response:
        """Check the signature with the standard's own library, as a subscriber would."""
        body = await request.read()
        word = Webhook(SECRET).verify(body, dict(request.headers))
        self.ids.append(request.headers["webhook-id"])
        status = self.answers.pop(0) if self.answers else 204
        if status == 204:
            self.told.append(word)
        return web.Response(status=status, headers={"Location": self.url})

    @property
    def ways(self) -> list[tuple[str | None, str | None]]:
        """From and to of what it was told."""
        return [(word["data"]["from"], word["data"]["to"]) for word in self.told]


@pytest.fixture
async def crm() -> AsyncIterator[Crm]:
    """It listens on this machine."""
    crm, app = Crm(), web.Application()
    app.router.add_post("/hooks", crm.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    crm.url = f"http://{host}:{port}/hooks"
    yield crm
    await runner.cleanup()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test does not wait for five seconds."""
    monkeypatch.setattr(teller, "FIRST_DELAY", timedelta(seconds=0.02))
    monkeypatch.setattr(teller, "LOOK_EVERY", timedelta(seconds=0.05))


@pytest.fixture
def subscribed(settings: Settings, crm: Crm, soon: None) -> Callable[..., Settings]:
    """Settings in which the subscriber asks for *on*."""
    del soon

    def subscribed(*on: str, **more: Any) -> Settings:
        section = SubscriberSettings.model_validate(
            {"url": HttpUrl(crm.url), "secret": SecretStr(SECRET), "on": on, "allow_private_network": True}
            | more
        )
        return settings.model_copy(update={"subscribers": {"crm": section}})

    return subscribed


def booking_bot() -> Feature:
    """Return a feature that goes to whichever state an event names."""
    feature = Feature("booking", states=Booking)

    @feature.on("shop.to")
    async def to(event: OtherEvent, director: Director) -> None:
        await director.state.set_state(event.object_id or None)

    return feature
