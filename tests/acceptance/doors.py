"""A gateway's doors, as those know them who call it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from routers.registry import providers

BOT_SECRET = "telegrams-secret"
STRIPE_SECRET = "whsec_of_the_acceptance_tests"
CALCOM_SECRET = "calcom_of_the_acceptance_tests"


class Doors:
    """Calls the gateway at *address*, whose bot is *bot_id*; gives each call up after *timeout_seconds*."""

    def __init__(self, bot_id: int, address: str = "", *, timeout_seconds: float = 30) -> None:
        self.bot_id = bot_id
        self.http = httpx.AsyncClient(base_url=address, timeout=timeout_seconds)

    async def telegram(self, update: dict[str, Any]) -> httpx.Response:
        """Deliver *update* once."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": BOT_SECRET}
        return await self.http.post(f"/telegram/{self.bot_id}", json=update, headers=headers)

    async def stripe(self, body: bytes) -> httpx.Response:
        """Deliver a Stripe event once, signed now."""
        sign = providers()["stripe"].sign
        assert sign is not None
        headers = dict(sign(body, STRIPE_SECRET.encode(), datetime.now(UTC)))
        return await self.http.post("/webhooks/stripe", content=body, headers=headers)

    async def calcom(self, body: bytes) -> httpx.Response:
        """Deliver a Cal.com event once, signed."""
        sign = providers()["calcom"].sign
        assert sign is not None
        headers = dict(sign(body, CALCOM_SECRET.encode(), datetime.now(UTC)))
        return await self.http.post("/webhooks/calcom", content=body, headers=headers)

    async def event(self, body: Mapping[str, Any], *, api_key: str, idempotency_key: str) -> httpx.Response:
        """Deliver an event of a service once, over REST."""
        headers = {"Authorization": f"Bearer {api_key}", "Idempotency-Key": idempotency_key}
        return await self.http.post("/v1/events", json=body, headers=headers)
