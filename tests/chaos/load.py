"""Senders that repeat each event until it is acknowledged, as Telegram and providers do."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx

from gateway.demo.bot_api import BotApi
from routers.provider import Example
from routers.registry import providers
from tests.acceptance.gateway_process import GatewayProcess

Deliver = Callable[[GatewayProcess], Awaitable[httpx.Response]]

#: Between the events of one source of one user.
PAUSE_SECONDS = 0.05
#: The same when there is more to break than to send.
LATER_PAUSE_SECONDS = 0.5
RETRY_SECONDS = 0.1


@dataclass
class Sent:
    """What the senders know."""

    expected: dict[int, dict[str, list[str]]] = field(default_factory=dict)
    """By user and source: the events in the order in which they were acknowledged."""
    acknowledged: int = 0
    ignored: int = 0
    """Acknowledged updates that no handler takes, besides."""
    refused: int = 0
    """Answers other than 2xx, and connections that broke."""

    @property
    def total(self) -> int:
        """How many events were sent."""
        return sum(len(names) for sources in self.expected.values() for names in sources.values())


class Load:
    """*count* events of each source for each user, those of one source one after the other."""

    def __init__(self, api: BotApi, webs: Sequence[GatewayProcess], tokens: dict[int, str]) -> None:
        self._api = api
        self._webs = webs
        self._tokens = tokens
        self._chance = random.Random(20261124)
        self.sent = Sent()

    async def run(self, count: int, *, go_on: Callable[[], bool]) -> None:
        """Send so many of each and more while *go_on* says so; return when all are acknowledged."""
        async with asyncio.TaskGroup() as group:
            for user, token in self._tokens.items():
                self.sent.expected[user] = {}
                for source in ("telegram", "stripe", "calcom"):
                    group.create_task(self._one_source(user, token, source, count, go_on))

    async def _one_source(
        self, user: int, token: str, source: str, count: int, go_on: Callable[[], bool]
    ) -> None:
        names = self.sent.expected[user].setdefault(source, [])
        for number in itertools.count():
            if number >= count and not go_on():
                return
            name = f"{source}-{user}-{number}"
            await self._insist(self._delivery(user, token, source, name))
            names.append(name)
            self.sent.acknowledged += 1
            if source == "telegram" and number % 4 == 0:
                await self._insist(partial(GatewayProcess.telegram, update=self._dice(user)))
                self.sent.ignored += 1
            pause = PAUSE_SECONDS if number < count else LATER_PAUSE_SECONDS
            await asyncio.sleep(self._chance.uniform(0, 2 * pause))

    def _dice(self, user: int) -> dict[str, Any]:
        update = self._api.updates.message(user, "")
        del update["message"]["text"]
        update["message"]["dice"] = {"emoji": "🎲", "value": 3}
        return update

    def _delivery(self, user: int, token: str, source: str, name: str) -> Deliver:
        if source == "telegram":
            return partial(GatewayProcess.telegram, update=self._api.updates.message(user, name))
        example = Example(token=token, at=datetime.now(UTC), object_id=name, event_id=f"evt_{name}")
        if source == "stripe":
            body = providers()["stripe"].examples["payment_intent.succeeded"](example)
            return partial(GatewayProcess.stripe, body=body)
        return partial(GatewayProcess.calcom, body=providers()["calcom"].examples["BOOKING_CREATED"](example))

    async def _insist(self, deliver: Deliver) -> None:
        while True:
            try:
                if (await deliver(self._chance.choice(self._webs))).is_success:
                    return
            except httpx.TransportError:
                pass
            self.sent.refused += 1
            await asyncio.sleep(RETRY_SECONDS)
