"""One event of a conversation at a time, for bots that run without the gateway's worker."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta

import structlog
from aiogram.fsm.storage.base import BaseEventIsolation, StorageKey
from redis.asyncio import Redis
from redis.exceptions import RedisError

from state.conversation import Conversation
from state.ending import ended
from state.errors import StoreUnavailable
from state.turns import Turns

log = structlog.get_logger(__name__)

#: So long may Redis be away before those who wait for their turn are told.
OUTAGE = timedelta(minutes=1)

_turn: ContextVar[tuple[Conversation, str] | None] = ContextVar("turn", default=None)


def turn_of(conversation: Conversation) -> str | None:
    """Return the ticket under which this context works on *conversation*, if it has one."""
    turn = _turn.get()
    return turn[1] if turn is not None and turn[0] == conversation else None


class ConversationIsolation(BaseEventIsolation):
    """
    Gives turns in the order of arrival, over all processes that share the Redis.

    A turn is renewed while its handler runs. If its process stands still for longer than *lasts*, the next
    one goes on, and what the late handler still writes is refused (`TurnLost`).
    """

    def __init__(self, redis: Redis, turns: Turns, lasts: timedelta) -> None:
        self._redis = redis
        self._turns = turns
        self._lasts = lasts
        self._process = secrets.token_hex(6)
        self._waiting: dict[str, asyncio.Event] = {}
        self._listening: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()

    @asynccontextmanager
    async def lock(self, key: StorageKey) -> AsyncGenerator[None, None]:
        """
        Wait for the turn in *key*'s conversation, and hold it within the ``async with`` block.

        Raises:
            StoreUnavailable: Redis does not answer; once in the queue, for longer than a minute.
        """
        conversation = Conversation.from_storage_key(key)
        ticket = f"{self._process}/{secrets.token_hex(8)}"
        called = self._waiting[ticket] = asyncio.Event()
        try:
            await self._wait(conversation, ticket, called)
            renewing = asyncio.create_task(self._renew(conversation, ticket), name="turn")
            mark = _turn.set((conversation, ticket))
            try:
                yield
            finally:
                _turn.reset(mark)
                renewing.cancel()
        finally:
            del self._waiting[ticket]
            await asyncio.shield(self._leave(conversation, ticket))

    async def close(self) -> None:
        """Stop listening for turns."""
        if self._listening is not None:
            await ended(self._listening)
            self._listening = None

    @property
    def _milliseconds(self) -> int:
        return int(self._lasts.total_seconds() * 1000)

    async def _wait(self, conversation: Conversation, ticket: str, called: asyncio.Event) -> None:
        if await self._turns.enter(conversation, ticket, self._milliseconds):
            return
        await self._listen()
        clock = asyncio.get_running_loop().time
        heard_at = clock()
        while True:
            try:
                if await self._turns.enter(conversation, ticket, self._milliseconds):
                    return
                heard_at = clock()
            except StoreUnavailable:
                # An event that has waited for so long is not lost to an outage.
                if clock() - heard_at > OUTAGE.total_seconds():
                    raise
            # The call is the fast way. Asking again keeps the ticket, and finds a turn whose call was lost.
            await _within(self._lasts / 3, called)
            called.clear()

    async def _renew(self, conversation: Conversation, ticket: str) -> None:
        while True:
            await asyncio.sleep(self._lasts.total_seconds() / 3)
            with contextlib.suppress(StoreUnavailable):
                if not await self._turns.keep(conversation, ticket, self._milliseconds):
                    log.warning("a turn was lost", conversation=conversation.encode())
                    return

    async def _leave(self, conversation: Conversation, ticket: str) -> None:
        try:
            following = await self._turns.leave(conversation, ticket)
        except StoreUnavailable:
            # It ends by itself. The handler has done its work, which this must not turn into a failure.
            log.warning("a turn could not be given back", conversation=conversation.encode())
            return
        if following in self._waiting:
            self._waiting[following].set()

    async def _listen(self) -> None:
        """Hear of turns; a turn that is given before that is found by asking."""
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._hear(), name="turns")
        await _within(self._lasts / 3, self._heard)

    async def _hear(self) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(self._turns.channel(self._process))
                    self._heard.set()
                    while True:
                        message = await channel.get_message(timeout=1)
                        waiting = self._waiting.get(message["data"].decode()) if message else None
                        if waiting is not None:
                            waiting.set()
            self._heard.clear()
            await asyncio.sleep(1)


async def _within(limit: timedelta, event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit.total_seconds()):
            await event.wait()
