"""A server that is measured, in a process of its own, and what Redis holds of its work."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from state.connection import connect
from state.conversation import Conversation
from state.keys import Keys
from state.values import load
from tests.benchmarks.server_process import cpu_seconds, server_process
from tests.benchmarks.servers import ACCEPTING, BOT_ID, PATH, SECRET
from tests.ports import free_port

HEADERS: Final = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
#: What has not grown for so long does not grow any more.
GIVE_UP_SECONDS: Final = 2.0
#: Added up within Redis: this process shares its core, and must leave that to it while a server works on.
_COUNTED_BY_OURS: Final = """
local sum = 0
for _, key in ipairs(KEYS) do
  sum = sum + (redis.call('HGET', key, 'd:count') or 0)
end
return sum
"""
_COUNTED_BY_AIOGRAM: Final = """
local sum = 0
for _, key in ipairs(KEYS) do
  local data = redis.call('GET', key)
  sum = sum + (data and cjson.decode(data).count or 0)
end
return sum
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server of one *kind*."""

    kind: str
    port: int
    redis: Redis
    keys: Keys
    _process: asyncio.subprocess.Process

    @property
    def path(self) -> str:
        """Where it takes updates."""
        return PATH

    @property
    def cpu_seconds(self) -> float:
        """What the process has used of a core."""
        return cpu_seconds(self._process)

    async def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        await self._process.wait()

    async def data(self, users: Iterable[int]) -> list[dict[str, Any]]:
        """Return what its handler has kept for each user."""
        return [kept for kept, _ in await self._kept(users)]

    async def states(self, users: Iterable[int]) -> list[str | None]:
        """Return the state that its handler has set for each user."""
        return [state for _, state in await self._kept(users)]

    async def _kept(self, users: Iterable[int]) -> list[tuple[dict[str, Any], str | None]]:
        pipeline = self.redis.pipeline(transaction=False)
        for user in users:
            if self._is_ours:
                pipeline.execute_command("HGETALL", self._data_key(user))
            else:
                pipeline.execute_command("MGET", self._data_key(user), f"fsm:{BOT_ID}:{user}:{user}:state")
        answers = await pipeline.execute()
        if not self._is_ours:
            return [(orjson.loads(data) if data else {}, state and state.decode()) for data, state in answers]
        return [
            (
                {name[2:].decode(): load(value) for name, value in fields.items() if name.startswith(b"d:")},
                fields[b"s"].decode() if b"s" in fields else None,
            )
            for fields in answers
        ]

    @property
    def _is_ours(self) -> bool:
        return self.kind.startswith("ours")

    def _data_key(self, user: int) -> str:
        if self._is_ours:
            return self.keys.conversation(Conversation.private(BOT_ID, user))
        return f"fsm:{BOT_ID}:{user}:{user}:data"

    async def committed(self, expected: int, users: Iterable[int]) -> tuple[float, int]:
        """
        Wait until the users' counters add up to *expected*, or grow no more: what is missing then is lost.

        Return when they grew last, and what is missing; of a server that only accepts nothing is expected.
        """
        if self.kind in ACCEPTING:
            return time.perf_counter(), 0
        keys = [self._data_key(user) for user in users]
        summed = self.redis.register_script(_COUNTED_BY_OURS if self._is_ours else _COUNTED_BY_AIOGRAM)
        counted, grew_at = 0, time.perf_counter()
        while counted < expected and time.perf_counter() - grew_at < GIVE_UP_SECONDS:
            now_counted = int(await summed(keys))
            if now_counted > counted:
                counted, grew_at = now_counted, time.perf_counter()
            await asyncio.sleep(0.01)
        return grew_at, expected - counted


@asynccontextmanager
async def serving(
    kind: str, redis_url: str, *, port: int | None = None, keep: bool = False, partitions: int = 64
) -> AsyncIterator[Served]:
    """Start a server of *kind* over an empty Redis, or with *keep* over what is there; end it afterwards."""
    redis = await connect(redis_url)
    if not keep:
        await redis.flushall()
    port = port or free_port()
    module = "tests.benchmarks.servers"
    try:
        async with server_process(module, kind, port, redis_url, str(partitions)) as process:
            yield Served(kind, port, redis, Keys(partitions=partitions), process)
    finally:
        await redis.aclose()


def update(number: int, user: int) -> bytes:
    """Return the update *number*, a message of *user* in its private chat, as Telegram sends it."""
    person: dict[str, Any] = {"id": user, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    return orjson.dumps(
        {
            "update_id": number,
            "message": {
                "message_id": number,
                "date": 1_795_000_000,
                "chat": {"id": user, "type": "private", "first_name": "Ada"},
                "from": person,
                "text": f"message {number}",
            },
        }
    )
