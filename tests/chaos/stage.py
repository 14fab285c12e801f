"""One scenario's stage: Redis, gateways and Telegram's stand-in; and what became of every event on it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway.demo.bot_api import BotApi
from state import ConversationStorage
from state.api_keys import ApiKeys, Scope
from state.backlog import Backlog
from state.connection import connect
from state.errors import StoreUnavailable
from state.grouping import GroupedCalls
from state.keys import Keys
from state.service_stream import ServiceStream
from tests.acceptance.gateway_process import GatewayProcess
from tests.chaos.load_process import LoadProcess
from tests.chaos.plan import STREAM_KEY, Confirm, Plan
from tests.chaos.verdict import verdict
from tests.waiting import wait_until

BOT = "tests.chaos.bot:gateway"
#: The part of the gateways' settings that their bot's stream is in.
STREAMS = f"""
[streams.events]
key = "{STREAM_KEY}"
id_field = "event_id"
"""
FIRST_USER = 501


@dataclass(frozen=True)
class Size:
    """How much is sent: so many users, so many events of each source for each of them."""

    users: int
    events: int


@dataclass
class Stage:
    """The parts that a scenario disturbs."""

    directory: Path
    api: BotApi
    gateways: Sequence[GatewayProcess]
    url: str
    """How the observer and the service with the stream, and not the gateways, reach Redis."""
    confirm: Confirm = field(default_factory=Confirm)
    disturbed: int = 0
    """How often something was broken."""
    has_plan: bool = False
    """What is to be broken is a list; events are sent until it is done."""
    sending: asyncio.Event = field(default_factory=asyncio.Event)
    """Not set any more: all is acknowledged."""

    @property
    def webs(self) -> Sequence[GatewayProcess]:
        """Those that take calls."""
        return [gateway for gateway in self.gateways if gateway.listens]


Disturb = Callable[[Stage], Coroutine[Any, Any, None]]


async def play(stage: Stage, size: Size, disturb: Disturb) -> dict[str, Any]:
    """Send everything while *disturb* runs, wait until nothing is owed, and look at every event."""
    async with _observer(stage.url) as observer:
        plan = await observer.plan(stage, size)
        async with LoadProcess(stage.directory, plan) as load:
            began = time.monotonic()
            stage.sending.set()
            trouble = asyncio.create_task(disturb(stage), name="disturb")
            if stage.has_plan:
                await trouble
            load.enough()
            sent = await load.sent()
            stage.sending.clear()
            await trouble
        await observer.nothing_owed()
        seconds = time.monotonic() - began
        row = await verdict(stage.api, observer.storage, sent)
        return row | {"disturbed": stage.disturbed, "seconds": seconds}


class _Observer:
    """Looks into Redis itself."""

    def __init__(self, storage: ConversationStorage, calls: GroupedCalls, stream: ServiceStream) -> None:
        self.storage = storage
        self._api_keys = ApiKeys(calls, Keys())
        self._backlog = Backlog(calls, Keys())
        self._stream = stream

    async def plan(self, stage: Stage, size: Size) -> Plan:
        """Return what is to be sent, with all that its senders must know."""
        now_ms = time.time_ns() // 1_000_000
        _, api_key = await self._api_keys.create("office", frozenset({Scope.EVENTS_WRITE}), now_ms=now_ms)
        return Plan(
            bot_id=stage.api.account.id,
            bot_token=stage.api.token,
            webs=[str(web.http.base_url) for web in stage.webs],
            redis_url=stage.url,
            confirm=stage.confirm,
            api_key=api_key,
            tokens=await self._tokens(stage, range(FIRST_USER, FIRST_USER + size.users)),
            events=size.events,
        )

    async def _tokens(self, stage: Stage, users: Sequence[int]) -> dict[int, str]:
        """Have the bot show each user a token."""
        asked = (stage.webs[0].telegram(stage.api.updates.message(user, "/token")) for user in users)
        for answer in await asyncio.gather(*asked):
            assert answer.is_success, answer.text
        await self.nothing_owed()
        return {user: stage.api.chats[user].texts()[0] for user in users}

    async def nothing_owed(self) -> None:
        """Return when the service's stream is read, every event has ended and every effect has gone out."""

        async def empty() -> bool:
            try:
                lag = await self._stream.lag()
                return (lag.unread, lag.unfinished) == (0, 0) and not await self._backlog.owed()
            except StoreUnavailable:
                return False

        await wait_until(empty, description="nothing is owed", seconds=300)


@asynccontextmanager
async def _observer(url: str) -> AsyncIterator[_Observer]:
    async with await connect(url) as redis:
        stream = ServiceStream(
            redis,
            key=STREAM_KEY,
            group="fsm-gateway",
            reader="observer",
            lease=timedelta(seconds=1),
            start="0",
            prefix="gw",
        )
        yield _Observer(ConversationStorage(redis), GroupedCalls(redis), stream)
