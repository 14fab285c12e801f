"""One scenario's stage: Redis, gateways and Telegram's stand-in; and what became of every event on it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway.demo.bot_api import BotApi
from state import ConversationStorage
from state.backlog import Backlog
from state.connection import connect
from state.conversation import Conversation
from state.errors import StoreUnavailable
from state.grouping import GroupedCalls
from state.keys import Keys
from tests.acceptance.gateway_process import GatewayProcess
from tests.chaos.bot import written
from tests.chaos.load import Load, Sent
from tests.waiting import wait_until

BOT = "tests.chaos.bot:gateway"
FIRST_USER = 501


@dataclass(frozen=True)
class Size:
    """How much is sent: so many users, so many events of each of three sources for each of them."""

    users: int
    events: int


@dataclass
class Stage:
    """The parts that a scenario disturbs."""

    api: BotApi
    gateways: Sequence[GatewayProcess]
    url: str
    """How the observer, and not the gateways, reaches Redis."""
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
    users = range(FIRST_USER, FIRST_USER + size.users)
    async with _observer(stage.url) as (storage, backlog):
        tokens = {user: await _token(stage, backlog, user) for user in users}
        began = time.monotonic()
        load = Load(stage.api, stage.webs, tokens)
        stage.sending.set()
        trouble = asyncio.create_task(disturb(stage), name="disturb")
        await load.run(size.events, go_on=lambda: stage.has_plan and not trouble.done())
        stage.sending.clear()
        await trouble
        await _nothing_owed(backlog)
        seconds = time.monotonic() - began
        return await _verdict(stage, storage, load.sent) | {"disturbed": stage.disturbed, "seconds": seconds}


@asynccontextmanager
async def _observer(url: str) -> AsyncIterator[tuple[ConversationStorage, Backlog]]:
    async with await connect(url) as redis:
        yield ConversationStorage(redis), Backlog(GroupedCalls(redis), Keys())


async def _token(stage: Stage, backlog: Backlog, user: int) -> str:
    answer = await stage.webs[0].telegram(stage.api.updates.message(user, "/token"))
    assert answer.is_success, answer.text
    await _nothing_owed(backlog)
    return stage.api.chats[user].texts()[0]


async def _nothing_owed(backlog: Backlog) -> None:
    async def empty() -> bool:
        try:
            return not await backlog.owed()
        except StoreUnavailable:
            return False

    await wait_until(empty, description="nothing is owed", seconds=180)


async def _verdict(stage: Stage, storage: ConversationStorage, sent: Sent) -> dict[str, Any]:
    once = twice = lost = out_of_order = wrong_screens = surplus = 0
    for user, sources in sent.expected.items():
        key = Conversation.private(stage.api.account.id, user).storage_key()
        took_effect = written(await storage.get_data(key))
        for source, names in sources.items():
            times = Counter(took_effect.get(source, []))
            once += sum(times[name] == 1 for name in names)
            twice += sum(times[name] > 1 for name in names)
            lost += sum(times[name] == 0 for name in names)
            out_of_order += took_effect.get(source, []) != names
        total = sum(map(len, took_effect.values()))
        texts = stage.api.chats[user].texts()
        wrong_screens += texts[-1] != f"{total} events"
        # The token and one content block; more is a message that was sent again after a kill.
        surplus += len(texts) - 2
    return {
        "sent": sent.total,
        "acknowledged": sent.acknowledged,
        "ignored": sent.ignored,
        "once": once,
        "twice": twice,
        "lost": lost,
        "out_of_order": out_of_order,
        "wrong_screens": wrong_screens,
        "messages_twice": surplus,
        "refused": sent.refused,
    }
