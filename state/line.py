"""One connection to one Redis, on which many ask without waiting for each other's answers."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import hiredis
from redis import exceptions as redis_errors

# redis-py's own words for what Redis refuses; its constructors take this class (`parser_class`).
from redis._parsers import BaseParser
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection

from state.ending import ended

_NOT_WHOLE: Final = object()

#: A packed command, and who waits for its answer.
_Asked: TypeAlias = tuple[bytes, asyncio.Future[Any]]


class Line:
    """
    Takes a connection from redis-py's pool when there is need, and keeps it while it works.

    What one tick of the event loop asks for is written in one piece. A connection out of redis-py's pool for
    each piece, read in redis-py's way, costs 140 microseconds.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        # To find the running loop takes a system call.
        self._loop = asyncio.get_running_loop()
        self._unsent: list[_Asked] = []
        self._connection: AbstractConnection | None = None
        self._answers: _Answers | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closed = False
        self.connections = 0
        """How many it has had, one after the other."""

    def ask(self, packed: bytes) -> asyncio.Future[Any]:
        """
        Send one *packed* command behind those that were asked before.

        The answer is as Redis gave it, its refusals among them as exceptions of redis-py; so is the loss of
        the connection, after which nobody knows whether the command was run. It is raised instead, and was
        not sent, when there is no connection to be had.
        """
        answer = self._loop.create_future()
        if self._closed:
            answer.set_exception(redis_errors.ConnectionError("the connection is closed"))
            return answer
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append((packed, answer))
        return answer

    async def aclose(self) -> None:
        """Close the connection; who waits for an answer, or asks later, is told so."""
        self._closed = True
        if self._opening is not None:
            await ended(self._opening)
        unsent, self._unsent = self._unsent, []
        _refuse(unsent, redis_errors.ConnectionError("the connection is closed"))
        if self._answers is not None:
            self._answers.end(redis_errors.ConnectionError("the connection is closed"))
        await self._give_back()

    def _send(self) -> None:
        if self._answers is not None and self._answers.goes_on:
            unsent, self._unsent = self._unsent, []
            self._answers.ask(unsent)
        elif self._opening is None and self._unsent:
            self._opening = asyncio.create_task(self._open(), name="line")

    async def _open(self) -> None:
        try:
            # Who came while it failed has not waited long enough to be told so.
            while self._unsent:
                asked, self._unsent = self._unsent, []
                try:
                    self._answers = await self._connected()
                except (redis_errors.RedisError, OSError) as error:
                    _refuse(asked, error)
                except Exception as error:  # noqa: BLE001 - it is what they are told
                    # An event loop's own refusal, say: those who came meanwhile must not wait for ever.
                    reason = redis_errors.ConnectionError(f"no connection: {type(error).__name__}")
                    reason.__cause__ = error
                    _refuse(asked, reason)
                except BaseException:
                    _refuse(asked, redis_errors.ConnectionError("the connection is closed"))
                    raise
                else:
                    asked += self._unsent
                    self._unsent = []
                    self._answers.ask(asked)
        finally:
            self._opening = None

    async def _connected(self) -> "_Answers":
        await self._give_back()
        self._connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]  # redis-py's
        # The one thing that redis-py does not show. With it, answers need no coroutine each.
        writer: asyncio.StreamWriter | None = self._connection._writer  # noqa: SLF001 - as said above
        if writer is None or writer.transport.is_closing():
            raise redis_errors.ConnectionError("Redis closed the connection")
        self.connections += 1
        return _Answers(writer.transport, self._connection.socket_timeout)

    async def _give_back(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.disconnect()
            finally:
                await self._pool.release(connection)


class _Answers(asyncio.Protocol):
    """The answers of one connection: Redis gives them in the order of asking."""

    def __init__(self, transport: asyncio.WriteTransport, within_seconds: float | None) -> None:
        """*within_seconds* is how long an answer may take; None: for ever."""
        self._transport = transport
        self._within = within_seconds
        # It belongs to redis-py, which waits there for the connection's end.
        self._former = transport.get_protocol()
        transport.set_protocol(self)
        self._reader = hiredis.Reader(
            protocolError=redis_errors.InvalidResponse,
            replyError=BaseParser.parse_error,
            notEnoughData=_NOT_WHOLE,
        )
        self._owed: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._clock: asyncio.TimerHandle | None = None
        self.goes_on = True

    def ask(self, asked: Iterable[_Asked]) -> None:
        """Write it in one piece."""
        # Who has gone meanwhile does not need it any more.
        wanted = [(packed, answer) for packed, answer in asked if not answer.done()]
        if not wanted:
            return
        due = self._loop.time() + (self._within or 0)
        self._owed.extend([(due, answer) for _, answer in wanted])
        if self._clock is None and self._within is not None:
            self._clock = self._loop.call_at(due, self._look_at_clock)
        self._transport.write(b"".join([packed for packed, _ in wanted]))

    def data_received(self, data: bytes) -> None:
        """Give each answer that is whole to the one who has waited longest."""
        demoted = False
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not _NOT_WHOLE:
                if type(answer) is hiredis.PushNotification:
                    continue
                _, waits = self._owed.popleft()
                if not waits.done():
                    waits.set_result(answer)
                demoted = demoted or type(answer) is redis_errors.ReadOnlyError
        except (redis_errors.InvalidResponse, IndexError) as error:
            self.end(redis_errors.ConnectionError(f"Redis answered what nobody has asked: {error}"))
        if demoted:
            # Its successor is found by connecting anew.
            self.end(redis_errors.ConnectionError("this Redis is a replica now"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits, and redis-py."""
        self.end(redis_errors.ConnectionError("Redis closed the connection"))
        self._former.connection_lost(exc)

    def end(self, reason: redis_errors.RedisError) -> None:
        """Use the connection no more: what is still on its way must not be read as somebody else's answer."""
        self.goes_on = False
        self._transport.abort()
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        owed, self._owed = self._owed, deque()
        for _, waits in owed:
            if not waits.done():
                waits.set_result(reason)

    def _look_at_clock(self) -> None:
        # One timer for all: it goes off once in the time that an answer may take, not for each of them.
        self._clock = None
        if not self._owed:
            return
        due = self._owed[0][0]
        if due <= self._loop.time():
            self.end(redis_errors.TimeoutError("Redis did not answer in time"))
        else:
            self._clock = self._loop.call_at(due, self._look_at_clock)


def _refuse(asked: Iterable[_Asked], error: Exception) -> None:
    for _, answer in asked:
        if not answer.done():
            answer.set_exception(error)
