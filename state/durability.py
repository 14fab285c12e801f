"""An acknowledgement that waits for the disk or for replicas, if that is what the operator wants."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import AskError, RedisError

from state.cluster import ClusterRedis
from state.connection import Durability, ServerFacts, store_errors
from state.errors import StoreMisconfigured, StoreUnavailable
from state.keys import Keys

#: Who waits, the mark of its partition, and the key that must be there.
_Waiting: TypeAlias = tuple[asyncio.Future[None], str, str]

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
    look at what their own connection has written, and there is one order for all. Whoever confirms the mark
    may be a successor of the Redis that was written to, so it is asked for what was written too.
    """

    def __init__(self, redis: Redis, keys: Keys, *, disk: bool, replicas: int) -> None:
        self._redis = redis
        self._keys = keys
        self._disk = disk
        self._replicas = replicas
        self._waiting: defaultdict[BlockingConnectionPool | None, list[_Waiting]] = defaultdict(list)
        """By the node of the Cluster; None: there is only one."""
        self._asking: dict[BlockingConnectionPool | None, asyncio.Task[None]] = {}

    async def wait(self, partition: int, written: str) -> None:
        """
        Return when all that was written to *partition* until now is there, the key *written* among it.

        Raises:
            StoreUnavailable: it was not in time, or Redis has lost it or did not answer; it may be there or
                not.
        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        mark = self._keys.disk(partition)
        with store_errors():
            node = self._redis.nodes.of(mark) if isinstance(self._redis, ClusterRedis) else None
        self._waiting[node].append((answer, mark, written))
        if node not in self._asking:
            self._asking[node] = asyncio.create_task(self._ask(node), name="confirmation")
        await answer

    async def _ask(self, node: BlockingConnectionPool | None) -> None:
        try:
            while self._waiting[node]:
                waiting, self._waiting[node] = self._waiting[node], []
                failures = await self._failures(node, waiting)
                for (answer, _, _), failure in zip(waiting, failures, strict=True):
                    if answer.done():
                        continue
                    if failure is not None:
                        answer.set_exception(failure)
                    else:
                        answer.set_result(None)
        finally:
            del self._asking[node]

    async def _failures(
        self, node: BlockingConnectionPool | None, waiting: Sequence[_Waiting]
    ) -> Sequence[Exception | None]:
        """Return for each of *waiting* why what it has written is not where it should be; None: it is."""
        client = self._redis if node is None else Redis(connection_pool=node)
        failure: Exception
        try:
            with store_errors():
                found = await self._found(client, waiting)
        except AskError:
            failure = StoreUnavailable(reason="the slot has moved")
        except (StoreUnavailable, RedisError) as error:
            failure = error
        else:
            return [None if number == 1 else StoreUnavailable(reason="Redis has lost it") for number in found]
        return [failure] * len(waiting)

    async def _found(self, client: Redis, waiting: Sequence[_Waiting]) -> Sequence[object]:
        """Have *client* confirm what it has, and return for each of *waiting* 1 if that is among it."""
        within_ms = int(CONFIRM_WITHIN.total_seconds() * 1000)
        pipeline = client.pipeline(transaction=False)
        mark = waiting[0][1]
        pipeline.execute_command("SET", mark, b"", "PX", int(MARK_LASTS.total_seconds() * 1000))
        if self._replicas:
            pipeline.execute_command("WAIT", self._replicas, within_ms)
        if self._disk:
            pipeline.execute_command("WAITAOF", 1, 0, within_ms)
        for _, _, written in waiting:
            pipeline.execute_command("EXISTS", written)
        # Raised by the pipeline, an error would begin with words of redis-py, not of Redis.
        answers = await pipeline.execute(raise_on_error=False)
        confirmed, found = answers[: -len(waiting)], answers[-len(waiting) :]
        for answer in confirmed:
            if isinstance(answer, RedisError):
                raise answer
        if self._disk and not confirmed[-1][0]:
            raise StoreUnavailable(5, reason="Redis has not written it to disk in time")
        if self._replicas and confirmed[1] < self._replicas:
            raise StoreUnavailable(5, reason=f"only {confirmed[1]} replicas had it in time")
        return found
