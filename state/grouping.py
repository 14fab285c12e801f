"""Script calls that are in flight at the same time share one round trip."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, TypeAlias

import hiredis
from redis import exceptions as redis_errors
from redis.asyncio import ConnectionPool, Redis

from state import faults
from state.cluster import ClusterRedis, Nodes
from state.connection import RETRIES, as_unavailable
from state.line import Line

#: Commands whose first word is no key.
_OF_NO_KEY: Final = frozenset({"PUBLISH", "SCAN"})
_LOST: Final = (redis_errors.ConnectionError, redis_errors.TimeoutError, OSError)
#: After these it is asked once more; in a Cluster, the nodes are asked first who has what.
_AGAIN: Final = (
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


class GroupedCalls:
    """
    Sends what one tick of the event loop asked for in one write, and asks again what got no answer.

    A call costs 25 microseconds alone and about 5 as one of forty; one of redis-py's 140. All go by one
    connection, as Redis does one thing after the other anyway: nothing that blocks may be asked here.
    """

    def __init__(self, redis: Redis) -> None:
        self._nodes = redis.nodes if isinstance(redis, ClusterRedis) else None
        self._pool = redis.connection_pool
        self._lines: dict[ConnectionPool, Line] = {}
        self._closed = False

    @property
    def connections(self) -> int:
        """How many there have been: after a new one Redis may be another, which has lost what came last."""
        return sum(line.connections for line in self._lines.values())

    async def script(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """
        Run *script* and return its answer.

        Raises:
            StoreUnavailable: Redis did not answer, or cannot take writes now.
        """
        packed = _pack(("EVALSHA", script.sha, len(keys), *keys, *arguments))
        key = keys[0] if keys else None
        if faults.FAULT is None:
            return await self._answer(packed, key, script)
        faults.reached(f"{script.name}.before")
        answer = await self._answer(packed, key, script)
        faults.reached(f"{script.name}.after")
        return answer

    async def command(self, *command: Argument) -> Any:
        """
        Run one plain command and return its raw answer.

        Raises:
            StoreUnavailable: Redis did not answer, or cannot take writes now.
        """
        key = str(command[1]) if len(command) > 1 and command[0] not in _OF_NO_KEY else None
        return await self._answer(_pack(command), key)

    async def aclose(self) -> None:
        """End what is under way, before the client is closed: what came back late would connect anew."""
        self._closed = True
        for line in self._lines.values():
            await line.aclose()

    async def _answer(self, packed: bytes, key: str | None, script: Script | None = None) -> Any:
        """*key* says where the call goes in a Cluster; None: anywhere."""
        # As `store_errors` does; this is on the way of every call, and `try` costs nothing.
        try:
            if self._nodes is None:
                answer = await self._line(self._pool).ask(packed)
            else:
                answer = await self._ask(packed, key)
            if isinstance(answer, Exception):
                answer = await self._insist(packed, key, script, answer)
        except redis_errors.RedisError as error:
            if unavailable := as_unavailable(error):
                raise unavailable from error
            raise
        return answer

    async def _ask(self, packed: bytes, key: str | None) -> Any:
        """Return the answer, or what came instead of it."""
        if self._nodes is None:
            return await self._line(self._pool).ask(packed)
        try:
            return await self._line(self._nodes.of(key)).ask(packed)
        except (*_LOST, redis_errors.ClusterDownError) as error:
            # The node is gone, and another one may have its slots by now.
            return error

    async def _insist(self, packed: bytes, key: str | None, script: Script | None, failure: Exception) -> Any:
        for attempt in range(RETRIES):
            if isinstance(failure, redis_errors.NoScriptError) and script is not None:
                answer = await self._ask_with_source(packed, key, script)
            elif self._nodes is not None and type(failure) is redis_errors.AskError:
                answer = await self._ask_there(self._nodes, packed, script, failure)
            elif isinstance(failure, _AGAIN):
                await asyncio.sleep(min(0.5, 0.05 * 2**attempt))
                if self._nodes is not None:
                    with suppress(redis_errors.RedisError):
                        await self._nodes.ask()
                answer = await self._ask(packed, key)
            else:
                break
            if not isinstance(answer, Exception):
                return answer
            failure = answer
        if isinstance(failure, redis_errors.AskError):
            raise redis_errors.ClusterDownError(str(failure))
        raise failure

    async def _ask_with_source(self, packed: bytes, key: str | None, script: Script) -> Any:
        """Run a call whose script the server has forgotten (restart, failover, SCRIPT FLUSH)."""
        loaded, answer = await asyncio.gather(
            self._ask(_pack(("SCRIPT", "LOAD", script.source)), key), self._ask(packed, key)
        )
        return loaded if isinstance(loaded, Exception) else answer

    async def _ask_there(
        self, nodes: Nodes, packed: bytes, script: Script | None, failure: redis_errors.AskError
    ) -> Any:
        """Run a call whose slot is just moving, at the node that it moves to."""
        line = self._line(nodes.pool_at((failure.host, failure.port)))
        commands = [_pack(("ASKING",)), packed]
        if script is not None:
            commands.insert(0, _pack(("SCRIPT", "LOAD", script.source)))
        try:
            return (await asyncio.gather(*map(line.ask, commands)))[-1]
        except _LOST as error:
            return error

    def _line(self, pool: ConnectionPool) -> Line:
        line = self._lines.get(pool)
        if line is None:
            if self._closed:
                raise redis_errors.ConnectionError("the client is closed")
            line = self._lines[pool] = Line(pool)
        return line


def _pack(command: tuple[Argument, ...]) -> bytes:
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # typed as if of one argument
    return packed
