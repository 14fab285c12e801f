"""Script calls that are in flight at the same time share one round trip."""

import asyncio
import hashlib
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final, TypeAlias

import hiredis
from redis import exceptions as redis_errors
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

from state import faults
from state.cluster import ClusterRedis, Nodes
from state.connection import RETRIES, store_errors
from state.ending import ended

#: Commands whose first word is no key.
_OF_NO_KEY: Final = frozenset({"PUBLISH", "SCAN"})
_LOST: Final = (redis_errors.ConnectionError, redis_errors.TimeoutError, OSError)
#: Answers after which the nodes are asked again who has what.
_MOVED: Final = (
    *_LOST,
    redis_errors.AskError,
    redis_errors.TryAgainError,
    redis_errors.ClusterDownError,
    redis_errors.ReadOnlyError,
)

Argument: TypeAlias = bytes | str | int | float


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua file, behind the functions that it shares with others."""

    name: str
    source: str
    sha: str

    @classmethod
    def load(cls, name: str, *, after: Sequence[str] = (), when_full: bool = False) -> "Script":
        """
        Read ``lua/<name>.lua``, preceded by the files named in *after*.

        *when_full*: it runs while memory is full too. What ends events must, or nothing would be freed.
        """
        folder = files("state") / "lua"
        source = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in (*after, name))
        if when_full:
            source = "#!lua flags=allow-oom\n" + source
        return cls(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


@dataclass(slots=True)
class _Call:
    packed: bytes
    key: str | None
    """In a Cluster it says where the call goes; None: anywhere."""
    script: Script | None
    answer: asyncio.Future[Any] = field(default_factory=asyncio.Future)


class GroupedCalls:
    """
    Sends what one tick of the event loop asked for as one pipeline.

    A redis-py command costs 100 to 140 microseconds alone and about 14 as one of a hundred.
    """

    #: One pipeline's size; more is sent in several, so that no answer waits for thousands of others.
    LARGEST_GROUP = 256

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: list[_Call] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def script(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """
        Run *script* and return its answer.

        Raises:
            StoreUnavailable: Redis did not answer, or cannot take writes now.
        """
        command = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
        call = _Call(_pack(command), keys[0] if keys else None, script)
        if faults.FAULT is None:
            return await self._send(call)
        faults.reached(f"{script.name}.before")
        answer = await self._send(call)
        faults.reached(f"{script.name}.after")
        return answer

    async def command(self, *command: Argument) -> Any:
        """
        Run one plain command and return its raw answer.

        Raises:
            StoreUnavailable: Redis did not answer, or cannot take writes now.
        """
        key = str(command[1]) if len(command) > 1 and command[0] not in _OF_NO_KEY else None
        return await self._send(_Call(_pack(command), key, None))

    async def aclose(self) -> None:
        """End what is under way, before the client is closed: what came back late would connect anew."""
        await ended(*self._sending)

    async def _send(self, call: _Call) -> Any:
        self._waiting.append(call)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._flush)
        with store_errors():
            return await call.answer

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for first in range(0, len(waiting), self.LARGEST_GROUP):
            task = asyncio.create_task(self._execute(waiting[first : first + self.LARGEST_GROUP]))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _execute(self, group: Sequence[_Call]) -> None:
        try:
            if isinstance(self._redis, ClusterRedis):
                answers = await self._in_cluster(self._redis.nodes, group)
            else:
                answers = await self._on(self._redis.connection_pool, group)
        except (redis_errors.RedisError, OSError, asyncio.CancelledError) as error:
            answers = [error] * len(group)
        for call, answer in zip(group, answers, strict=True):
            if call.answer.done():
                continue
            if isinstance(answer, asyncio.CancelledError):
                call.answer.cancel()
            elif isinstance(answer, BaseException):
                call.answer.set_exception(answer)
            else:
                call.answer.set_result(answer)

    async def _in_cluster(self, nodes: Nodes, group: Sequence[_Call]) -> list[Any]:
        """Run each call at the node that has its key; again where that has moved, or the node is gone."""
        answers: list[Any] = [None] * len(group)
        open_places = list(range(len(group)))
        for attempt in range(RETRIES + 1):
            by_pool: dict[Any, list[int]] = {}
            for place in open_places:
                try:
                    by_pool.setdefault(nodes.of(group[place].key), []).append(place)
                except redis_errors.ClusterDownError as error:
                    answers[place] = error
            outcomes = await asyncio.gather(
                *(self._on(pool, [group[place] for place in places]) for pool, places in by_pool.items()),
                return_exceptions=True,
            )
            for places, outcome in zip(by_pool.values(), outcomes, strict=True):
                if isinstance(outcome, BaseException) and not isinstance(outcome, _LOST):
                    raise outcome
                same = [outcome] * len(places) if isinstance(outcome, BaseException) else outcome
                for place, answer in zip(places, same, strict=True):
                    answers[place] = answer
                    if type(answer) is redis_errors.AskError:
                        answers[place] = await self._ask_there(nodes, group[place], answer)
            open_places = [place for place in open_places if isinstance(answers[place], _MOVED)]
            if not open_places or attempt == RETRIES:
                break
            await asyncio.sleep(min(0.5, 0.05 * 2**attempt))
            with suppress(redis_errors.RedisError):
                await nodes.ask()
        return [
            redis_errors.ClusterDownError(str(answer))
            if isinstance(answer, redis_errors.AskError)
            else answer
            for answer in answers
        ]

    async def _ask_there(self, nodes: Nodes, call: _Call, answer: redis_errors.AskError) -> Any:
        """Run a call whose slot is just moving, at the node that it moves to."""
        commands = [_pack(("ASKING",)), call.packed]
        if call.script is not None:
            commands.insert(0, _pack(("SCRIPT", "LOAD", call.script.source)))
        try:
            return (await self._pipeline(nodes.pool_at((answer.host, answer.port)), commands))[-1]
        except _LOST as error:
            return error

    async def _on(self, pool: Any, group: Sequence[_Call]) -> list[Any]:
        answers = await self._pipeline(pool, [call.packed for call in group])
        forgotten = [
            position
            for position, answer in enumerate(answers)
            if isinstance(answer, redis_errors.NoScriptError)
        ]
        if forgotten:
            for position, answer in zip(
                forgotten, await self._run_again(pool, [group[at] for at in forgotten]), strict=True
            ):
                answers[position] = answer
        return answers

    async def _run_again(self, pool: Any, group: Sequence[_Call]) -> list[Any]:
        """Run calls whose script the server has forgotten (restart, failover, SCRIPT FLUSH)."""
        sources = {call.script.sha: call.script.source for call in group if call.script}
        await self._pipeline(pool, [_pack(("SCRIPT", "LOAD", source)) for source in sources.values()])
        return await self._pipeline(pool, [call.packed for call in group])

    async def _pipeline(self, pool: Any, commands: Sequence[bytes]) -> list[Any]:
        """
        Send *commands* in one write and return their raw answers, errors among them.

        redis-py's own pipeline packs each argument in Python, and reads each answer under a time limit of its
        own: three quarters of a commit's time. Connections, retries and the protocol stay redis-py's.
        """
        packed = b"".join(commands)
        connection = await pool.get_connection()
        try:
            answers: list[Any] = await connection.retry.call_with_retry(
                lambda: _exchange(connection, packed, len(commands)),
                lambda error: connection.disconnect(),  # noqa: ARG005 - redis-py passes it
            )
        finally:
            await pool.release(connection)
        return answers


def _pack(command: tuple[Argument, ...]) -> bytes:
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # typed as if of one argument
    return packed


async def _exchange(connection: AbstractConnection, packed: bytes, count: int) -> list[Any]:
    """Write *packed* and read *count* answers, within the time that the connection has for one."""
    answers: list[Any] = []
    try:
        async with asyncio.timeout(connection.socket_timeout):
            await connection.connect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            await connection.send_packed_command(packed)
            for _ in range(count):
                try:
                    answers.append(await connection.read_response(timeout=math.inf))
                except redis_errors.ResponseError as error:
                    answers.append(error)
    except TimeoutError:
        await connection.disconnect(nowait=True)
        raise redis_errors.TimeoutError("Redis did not answer in time") from None
    except BaseException:
        # Half of the answers may still be on their way; they must not be read as somebody else's.
        await connection.disconnect(nowait=True)
        raise
    return answers
