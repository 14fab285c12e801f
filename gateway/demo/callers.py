"""Those who call the gateway: Telegram, Stripe and Cal.com, each the way it really does."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from gateway.demo.stage import Miss, Stage
from routers.provider import Example, Provider
from routers.registry import providers


class TelegramCaller:
    """Telegram: one POST for each update, with the secret token of `setWebhook`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def deliver(self, update: dict[str, Any]) -> None:
        """
        Deliver *update*.

        Raises:
            Miss: the gateway did not take it.
        """
        stage = self._stage
        path = f"/telegram/{stage.api.account.id}"
        headers = {"X-Telegram-Bot-Api-Secret-Token": stage.secrets.telegram}
        _taken(await stage.http.post(path, json=update, headers=headers))


@dataclass(frozen=True, slots=True)
class SignedCall:
    """One call of a provider, to be sent as often as the provider likes."""

    provider: Provider
    type: str
    body: bytes
    secret: str
    http: httpx.AsyncClient = field(repr=False)

    async def deliver(self) -> None:
        """
        Send it, signed now.

        Raises:
            Miss: the gateway did not take it.
        """
        sent = self.provider.signed(self.body, self.secret.encode(), datetime.now(UTC))
        path = sent.target(f"/webhooks/{self.provider.kind}")
        _taken(await self.http.request(sent.method, path, content=sent.body, headers=dict(sent.headers)))


def stripe_call(stage: Stage, event_type: str, token: str, *, amount_minor: int = 4200) -> SignedCall:
    """What Stripe sends for the payment of so many cents that carries *token*."""
    example = Example(token, datetime.now(UTC), amount_minor)
    return _call(stage, "stripe", event_type, example, stage.secrets.stripe)


def calcom_call(stage: Stage, trigger: str, token: str) -> SignedCall:
    """What Cal.com sends for the booking that carries *token*."""
    return _call(stage, "calcom", trigger, Example(token, datetime.now(UTC)), stage.secrets.calcom)


def _call(stage: Stage, kind: str, event_type: str, example: Example, secret: str) -> SignedCall:
    provider = providers()[kind]
    return SignedCall(provider, event_type, provider.examples[event_type](example), secret, stage.http)


def _taken(response: httpx.Response) -> None:
    if not response.is_success:
        raise Miss(f"{response.request.url.path} answered {response.status_code}: {response.text}")
