"""An acknowledgement that waits for the disk or for replicas, if that is what the operator wants."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import Final, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import AskError, RedisError

from state.cluster import ClusterRedis
from state.connection import Durability, ServerFacts, store_errors
from state.errors import StoreMisconfigured, StoreUnavailable
from state.keys import Keys

_Waiting: TypeAlias = tuple[asyncio.Future[None], str]

#: WAITAOF came with it.
FIRST_TO_CONFIRM: Final = (7, 2, 0)
#: Twice that is less than the connection waits for an answer.
CONFIRM_WITHIN: Final = timedelta(seconds=2)
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


class Confirmation:
    """
    Says when all that was written before is where the operator wants it: on disk, on so many replicas.

    One question at a time serves all who ask meanwhile. It writes a mark of its own first: WAIT and WAITAOF
    look at what their own connection has written, and there is one order for all.
    """

    def __init__(self, redis: Redis, keys: Keys, *, disk: bool, replicas: int) -> None:
        self._redis = redis
        self._keys = keys
        self._disk = disk
        self._replicas = replicas
        self._waiting: defaultdict[BlockingConnectionPool | None, list[_Waiting]] = defaultdict(list)
        """By the node of the Cluster; None: there is only one."""
        self._asking: dict[BlockingConnectionPool | None, asyncio.Task[None]] = {}

    async def wait(self, partition: int) -> None:
        """
        Return when all that was written to *partition* until now is there.

        Raises:
            StoreUnavailable: it was not in time, or Redis did not answer; it may be there or not.
        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        mark = self._keys.disk(partition)
        with store_errors():
            node = self._redis.nodes.of(mark) if isinstance(self._redis, ClusterRedis) else None
        self._waiting[node].append((answer, mark))
        if node not in self._asking:
            self._asking[node] = asyncio.create_task(self._ask(node), name="confirmation")
        await answer

    async def _ask(self, node: BlockingConnectionPool | None) -> None:
        try:
            while self._waiting[node]:
                waiting, self._waiting[node] = self._waiting[node], []
                failure = await self._failure(node, waiting[0][1])
                for answer, _ in waiting:
                    if answer.done():
                        continue
                    if failure is not None:
                        answer.set_exception(failure)
                    else:
                        answer.set_result(None)
        finally:
            del self._asking[node]

    async def _failure(self, node: BlockingConnectionPool | None, mark: str) -> Exception | None:
        within_ms = int(CONFIRM_WITHIN.total_seconds() * 1000)
        client = self._redis if node is None else Redis(connection_pool=node)
        pipeline = client.pipeline(transaction=False)
        pipeline.execute_command("SET", mark, b"", "PX", int(MARK_LASTS.total_seconds() * 1000))
        if self._replicas:
            pipeline.execute_command("WAIT", self._replicas, within_ms)
        if self._disk:
            pipeline.execute_command("WAITAOF", 1, 0, within_ms)
        try:
            with store_errors():
                # Raised by the pipeline, an error would begin with words of redis-py, not of Redis.
                answers = await pipeline.execute(raise_on_error=False)
                for answer in answers:
                    if isinstance(answer, RedisError):
                        raise answer
        except AskError:
            return StoreUnavailable(reason="the slot has moved")
        except (StoreUnavailable, RedisError) as error:
            return error
        if self._disk and not answers[-1][0]:
            return StoreUnavailable(5, reason="Redis has not written it to disk in time")
        if self._replicas and answers[1] < self._replicas:
            return StoreUnavailable(5, reason=f"only {answers[1]} replicas had it in time")
        return None
