"""Script calls that are in flight at the same time share one round trip."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, TypeAlias

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from state.connection import store_errors

Argument: TypeAlias = bytes | str | int | float


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua file, behind the functions that it shares with others."""

    name: str
    source: str
    sha: str

    @classmethod
    def load(cls, name: str, *, after: Sequence[str] = ()) -> "Script":
        """Read ``lua/<name>.lua``, preceded by the files named in *after*."""
        folder = files("state") / "lua"
        source = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in (*after, name))
        return cls(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


@dataclass(slots=True)
class _Call:
    command: tuple[Argument, ...]
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
        return await self._send(_Call(("EVALSHA", script.sha, len(keys), *keys, *arguments), script))

    async def command(self, *command: Argument) -> Any:
        """
        Run one plain command and return its raw answer.

        Raises:
            StoreUnavailable: Redis did not answer, or cannot take writes now.
        """
        return await self._send(_Call(command, None))

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
            answers = await self._pipeline([call.command for call in group])
            forgotten = [
                position for position, answer in enumerate(answers) if isinstance(answer, NoScriptError)
            ]
            if forgotten:
                for position, answer in zip(
                    forgotten, await self._run_again([group[at] for at in forgotten]), strict=True
                ):
                    answers[position] = answer
        except (RedisError, OSError, asyncio.CancelledError) as error:
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

    async def _run_again(self, group: Sequence[_Call]) -> list[Any]:
        """Run calls whose script the server has forgotten (restart, failover, SCRIPT FLUSH)."""
        sources = {call.script.sha: call.script.source for call in group if call.script}
        await self._pipeline([("SCRIPT", "LOAD", source) for source in sources.values()])
        return await self._pipeline([call.command for call in group])

    async def _pipeline(self, commands: Sequence[tuple[Argument, ...]]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers
