"""An acknowledgement that waits for the disk, if that is what the operator wants."""

import asyncio
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from state.connection import Durability, ServerFacts, store_errors
from state.errors import StoreMisconfigured, StoreUnavailable

#: WAITAOF came with it.
FIRST_TO_CONFIRM: Final = (7, 2, 0)
#: Less than the connection waits for an answer.
CONFIRM_WITHIN: Final = timedelta(seconds=4)
MARK_LASTS: Final = timedelta(minutes=1)


def must_confirm(facts: ServerFacts) -> bool:
    """
    Whether the disk has to be asked for, so that what is acknowledged is on it; False: it is on it anyway.

    Raises:
        StoreMisconfigured: this Redis cannot say, or writes nothing.
    """
    if facts.durability is Durability.ALWAYS:
        return False
    if facts.durability is Durability.NONE:
        problem = "appendonly is off; set appendonly yes in Redis"
    elif facts.durability is Durability.KERNEL:
        problem = "appendfsync is no, so nobody knows when it is on disk; set appendfsync everysec in Redis"
    elif facts.version < FIRST_TO_CONFIRM:
        version = ".".join(str(part) for part in facts.version)
        problem = f"Redis {version} cannot confirm it (7.2 can); set appendfsync always in Redis"
    else:
        return True
    raise StoreMisconfigured([f"redis.durability is always, but {problem}"])


class Disk:
    """
    Says when all that was written before is on disk (WAITAOF).

    One question at a time serves all who ask meanwhile. It writes a mark of its own first: WAITAOF looks at
    what its own connection has written, and the file has one order for all.
    """

    def __init__(self, redis: Redis, mark: str) -> None:
        self._redis = redis
        self._mark = mark
        self._waiting: list[asyncio.Future[None]] = []
        self._asking: asyncio.Task[None] | None = None

    async def has_it(self) -> None:
        """
        Return when all that was written until now is on disk.

        Raises:
            StoreUnavailable: it was not in time, or Redis did not answer; it may be there or not.
        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="disk")
        await answer

    async def _ask(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                failure = await self._failure()
                for answer in waiting:
                    if answer.done():
                        continue
                    if failure is not None:
                        answer.set_exception(failure)
                    else:
                        answer.set_result(None)
        finally:
            self._asking = None

    async def _failure(self) -> Exception | None:
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.execute_command("SET", self._mark, b"", "PX", int(MARK_LASTS.total_seconds() * 1000))
        pipeline.execute_command("WAITAOF", 1, 0, int(CONFIRM_WITHIN.total_seconds() * 1000))
        try:
            with store_errors():
                _, (written, _) = await pipeline.execute()
        except (StoreUnavailable, RedisError) as error:
            return error
        return None if written else StoreUnavailable(5, reason="Redis has not written it to disk in time")
