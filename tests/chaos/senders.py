"""One event of each source, given to a gateway the way that its source does it."""

import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Any, Self

import httpx
from redis.asyncio import Redis

from gateway.demo.bot_api.account import Account
from gateway.demo.bot_api.clock import Clock
from gateway.demo.bot_api.updates import Updates
from routers.provider import Example
from routers.registry import providers
from state.connection import connect
from state.durability import Confirmation
from state.errors import StoreUnavailable
from state.grouping import GroupedCalls
from state.keys import Keys
from tests.acceptance.doors import Doors
from tests.chaos.plan import STREAM_KEY, STREAM_PARTITION, Plan

#: Returns whether it was acknowledged; each call of it is one more try.
Deliver = Callable[[], Awaitable[bool]]

#: A try of the senders lasts no longer: a process that is stopped answers nobody.
TRY_SECONDS = 5.0
#: The stage's own updates have lower ones.
FIRST_UPDATE_ID = 200_000_001


class Senders:
    """Those who send: they know the gateways' addresses, and the Redis that holds the service's stream."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._updates = Updates(Account(plan.bot_token, Clock()), FIRST_UPDATE_ID)
        self._doors = [Doors(plan.bot_id, address, timeout_seconds=TRY_SECONDS) for address in plan.webs]
        self._chance = random.Random(20261124)
        self._opened = AsyncExitStack()
        self._stream: GroupedCalls
        self._confirmation: Confirmation | None = None

    async def __aenter__(self) -> Self:
        redis: Redis = await self._opened.enter_async_context(await connect(self._plan.redis_url))
        for doors in self._doors:
            self._opened.push_async_callback(doors.http.aclose)
        self._stream = GroupedCalls(redis)
        confirm = self._plan.confirm
        if confirm.disk or confirm.replicas:
            self._confirmation = Confirmation(redis, Keys(), disk=confirm.disk, replicas=confirm.replicas)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    def delivery(self, source: str, user: int, name: str) -> Deliver:
        """Return how the event *name* of *user* is delivered, the same each time."""
        match source:
            case "telegram":
                return self._over_http(Doors.telegram, self._updates.message(user, name))
            case "stripe":
                body = providers()["stripe"].examples["payment_intent.succeeded"](self._example(user, name))
                return self._over_http(Doors.stripe, body)
            case "calcom":
                body = providers()["calcom"].examples["BOOKING_CREATED"](self._example(user, name))
                return self._over_http(Doors.calcom, body)
            case "rest":
                event = {"meta": {"type": "note.rest", "user_id": user}, "payload": {"name": name}}
                return self._over_http(
                    partial(Doors.event, api_key=self._plan.api_key, idempotency_key=name), event
                )
            case _:
                return partial(self._write, user, name)

    def ignored(self, user: int) -> Deliver:
        """Return how an update is delivered that no handler takes."""
        update = self._updates.message(user, "")
        del update["message"]["text"]
        update["message"]["dice"] = {"emoji": "🎲", "value": 3}
        return self._over_http(Doors.telegram, update)

    def _example(self, user: int, name: str) -> Example:
        token = self._plan.tokens[user]
        return Example(token=token, at=datetime.now(UTC), object_id=name, event_id=f"evt_{name}")

    def _over_http(self, door: Callable[[Doors, Any], Awaitable[httpx.Response]], content: Any) -> Deliver:
        async def deliver() -> bool:
            try:
                return (await door(self._chance.choice(self._doors), content)).is_success
            except httpx.TransportError:
                return False

        return deliver

    async def _write(self, user: int, name: str) -> bool:
        """Write to the stream; what Redis may have lost again is written again, under the same id."""
        entry = {"type": "note.stream", "event_id": name, "user_id": str(user), "name": name}
        try:
            await self._stream.command("XADD", STREAM_KEY, "*", *chain.from_iterable(entry.items()))
            if self._confirmation is not None:
                await self._confirmation.wait(STREAM_PARTITION, STREAM_KEY)
        except StoreUnavailable:
            return False
        return True
