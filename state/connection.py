"""The one place that opens Redis, judges whether it can hold the guarantees, and translates its errors."""

import asyncio
import enum
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Final

from redis import exceptions as redis_errors
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff

from state import cluster, sentinel
from state.errors import StoreMisconfigured, StoreUnavailable

log = logging.getLogger(__name__)

#: What an address may begin with.
SCHEMES: Final = "redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://"

OLDEST_VERSION: Final = (7, 0, 0)

#: A lost connection is tried again this often, 0.05 to 0.5 s apart: some 1.5 s pass before a 503.
RETRIES: Final = 5

#: Answers that say "not now", as redis-py's classes. A retry connects anew, so a failover is followed.
_NOT_NOW: Final = (
    redis_errors.ConnectionError,
    redis_errors.TimeoutError,
    redis_errors.ReadOnlyError,
    redis_errors.ClusterDownError,
    redis_errors.TryAgainError,
)
#: The same in Redis's words, where redis-py has no class for it.
_NOT_NOW_PREFIXES: Final = ("MISCONF ", "NOREPLICAS ", "BUSY ")
#: What a script may not do has words of its own: those of Redis 7.0, and those of 7.2 and later (script.c).
_SCRIPT_FORBIDDEN: Final = re.compile("The user executing the script can't|ACL failure in script")

#: A lost connection is back soon; a full memory or disk needs longer.
_RETRY_SOON_SECONDS: Final = 1
_RETRY_LATER_SECONDS: Final = 5


class Durability(enum.Enum):
    """What a crash of Redis can lose of what it has acknowledged."""

    ALWAYS = "always"
    """Nothing: each write is on disk before its answer (`appendfsync always`)."""
    EVERY_SECOND = "everysec"
    """At most the last second (`appendfsync everysec`)."""
    KERNEL = "no"
    """What the kernel had not flushed, some 30 s (`appendfsync no`)."""
    AOF = "aof"
    """There is an append-only file; how often it is flushed is not known (CONFIG is forbidden)."""
    NONE = "none"
    """Everything since the last snapshot: `appendonly` is off."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What one Redis says of itself, as far as the guarantees rest on it."""

    version: tuple[int, ...]
    is_replica: bool
    is_cluster_node: bool
    maxmemory_bytes: int
    eviction_policy: str
    durability: Durability
    last_write_failed: bool = False

    def problems(self, *, single: bool = True) -> tuple[str, ...]:
        """Why this Redis cannot be used, one line each with the remedy; empty: it can."""
        found = []
        if self.version < OLDEST_VERSION:
            found.append(f"Redis {_dotted(self.version)} is too old; the gateway needs 7.0 or later")
        if self.is_replica:
            found.append("this Redis is a replica, which takes no writes; give the address of the primary")
        if self.is_cluster_node and single:
            found.append("this Redis is a node of a Cluster; give its address as redis+cluster://host1,host2")
        if self.maxmemory_bytes and self.eviction_policy != "noeviction":
            found.append(
                f"maxmemory-policy is {self.eviction_policy}: Redis would delete accepted events when memory "
                "is short; set maxmemory-policy noeviction"
            )
        return tuple(found)

    def warnings(self) -> tuple[str, ...]:
        """What is weaker than the guarantees say, one line each with the remedy."""
        found = []
        if self.durability is Durability.NONE:
            found.append("appendonly is off: a crash of Redis loses events; set appendonly yes")
        if self.durability is Durability.KERNEL:
            found.append("appendfsync is no: a power cut loses some 30 s of events; set appendfsync everysec")
        if self.durability is Durability.AOF:
            found.append("CONFIG is forbidden here, so appendfsync is unknown; see that it is not `no`")
        if self.last_write_failed:
            found.append("Redis reports that its last write to the append-only file failed; look at its disk")
        return tuple(found)


async def connect(
    url: str,
    *,
    max_connections: int = 64,
    answer_within: timedelta = timedelta(seconds=5),
    wait_for_server: timedelta = timedelta(seconds=10),
) -> Redis:
    """
    Open the Redis at *url* (redis://, rediss://, unix://, redis+sentinel://), checked. Answers are bytes.

    A command is tried again when the connection is lost, so a write must be one script that may run twice.
    A blocking command must block for less than *answer_within*. The caller closes the client (`aclose`).

    Raises:
        StoreUnavailable: Redis did not answer within *wait_for_server* (it may be starting or loading).
        StoreMisconfigured: it answered, and cannot hold the guarantees or refused us; or *url* is none.
    """
    redis = open_client(url, max_connections=max_connections, answer_within=answer_within)
    try:
        facts = await _facts_when_up(redis, wait_for_server)
        if problems := facts.problems(single=not isinstance(redis, cluster.ClusterRedis)):
            raise StoreMisconfigured(problems)
    except BaseException:
        await redis.aclose()
        raise
    for warning in facts.warnings():
        log.warning("redis: %s", warning)
    return redis


def open_client(
    url: str,
    *,
    max_connections: int = 64,
    answer_within: timedelta = timedelta(seconds=5),
) -> Redis:
    """
    A client for *url* that has not connected yet and checks nothing.

    Raises:
        StoreMisconfigured: *url* is not one of redis-py's.
    """
    seconds = answer_within.total_seconds()
    options: dict[str, Any] = {
        "max_connections": max_connections,
        "timeout": seconds,
        "socket_timeout": seconds,
        "socket_connect_timeout": min(seconds, 2.0),
        "client_name": "fsm-gateway",
        "protocol": 2,
        "retry": Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), RETRIES),
        "retry_on_error": list(_NOT_NOW),
    }
    if url.startswith(cluster.SCHEMES):
        return cluster.cluster_client(url, options)
    if url.startswith(sentinel.SCHEMES):
        return Redis.from_pool(sentinel.sentinel_pool(url, options))
    try:
        pool = BlockingConnectionPool.from_url(url, **options)
    except ValueError as error:
        # The URL may carry a password, and redis-py's message may carry the URL: neither is repeated.
        raise StoreMisconfigured([f"redis.url must begin with {SCHEMES}"]) from error
    return Redis.from_pool(pool)


async def server_facts(redis: Redis) -> ServerFacts:
    """
    Ask *redis* about itself. CONFIG, which managed servers forbid, is needed for `appendfsync` only.

    Raises:
        StoreUnavailable: it did not answer.
        StoreMisconfigured: it refused our name, our password or INFO.
    """
    try:
        with store_errors():
            info: Mapping[str, Any] = await redis.info("everything")
            durability = await _durability(redis, aof_enabled=bool(info.get("aof_enabled")))
    except StoreUnavailable as unavailable:
        cause = unavailable.__cause__
        if _refuses_us(cause):
            raise StoreMisconfigured(["Redis refuses the user or password in redis.url"]) from unavailable
        if isinstance(cause, redis_errors.NoPermissionError):
            raise StoreMisconfigured(["this Redis user may not run INFO; grant it +info"]) from unavailable
        raise
    return ServerFacts(
        version=tuple(int(part) for part in str(info["redis_version"]).split(".")[:3]),
        is_replica=info.get("role") == "slave",
        is_cluster_node=bool(info.get("cluster_enabled")),
        maxmemory_bytes=int(info.get("maxmemory", 0)),
        eviction_policy=str(info.get("maxmemory_policy", "noeviction")),
        durability=durability,
        last_write_failed=info.get("aof_last_write_status", "ok") != "ok",
    )


class store_errors:  # noqa: N801 - used as `with store_errors():`, like contextlib's own
    """
    Turn redis-py's "not now" into ours; every door to Redis is used inside one. A class, as it is hot.

    Raises:
        StoreUnavailable: the connection is lost, or Redis is loading, read-only, full, failing over, or
            forbids what we ask for; the last is logged, since only a person can mend it.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, redis_errors.RedisError) and (unavailable := as_unavailable(error)):
            raise unavailable from error


def as_unavailable(error: redis_errors.RedisError) -> StoreUnavailable | None:
    """Return *error* in our words, as `store_errors` raises it; None: time will not mend it."""
    if _forbids(error):
        _complaint.about(error)
    seconds = _seconds_to_wait(error)
    return None if seconds is None else StoreUnavailable(seconds, reason=f"Redis: {type(error).__name__}")


def _seconds_to_wait(error: redis_errors.RedisError) -> int | None:
    """How long to stay away after *error*; None: time will not mend it."""
    if isinstance(error, _NOT_NOW):
        return _RETRY_SOON_SECONDS
    if isinstance(error, redis_errors.OutOfMemoryError) or str(error).startswith(_NOT_NOW_PREFIXES):
        return _RETRY_LATER_SECONDS
    return _RETRY_LATER_SECONDS if _forbids(error) else None


def _forbids(error: redis_errors.RedisError) -> bool:
    return isinstance(error, redis_errors.NoPermissionError) or bool(_SCRIPT_FORBIDDEN.search(str(error)))


class _Complaint:
    """Says what is forbidden, once in a while: each call would say the same."""

    EVERY_SECONDS: Final = 10.0

    def __init__(self) -> None:
        self._said_at = -self.EVERY_SECONDS

    def about(self, error: redis_errors.RedisError) -> None:
        if time.monotonic() - self._said_at >= self.EVERY_SECONDS:
            self._said_at = time.monotonic()
            log.error("redis forbids what the gateway needs; callers get 503 until it is granted: %s", error)


_complaint = _Complaint()


def _refuses_us(error: BaseException | None) -> bool:
    # redis-py wraps what goes wrong while connecting in a ConnectionError.
    refusals = (redis_errors.AuthenticationError, redis_errors.AuthorizationError)
    return error is not None and (isinstance(error, refusals) or isinstance(error.__cause__, refusals))


async def _facts_when_up(redis: Redis, patience: timedelta) -> ServerFacts:
    give_up_at = asyncio.get_running_loop().time() + patience.total_seconds()
    while True:
        try:
            if isinstance(redis, cluster.ClusterRedis):
                with store_errors():
                    await redis.nodes.ask()
            return await server_facts(redis)
        except StoreUnavailable:
            if asyncio.get_running_loop().time() >= give_up_at:
                raise
        await asyncio.sleep(0.1)


async def _durability(redis: Redis, *, aof_enabled: bool) -> Durability:
    if not aof_enabled:
        return Durability.NONE
    try:
        answer: Mapping[Any, Any] = await redis.config_get("appendfsync")
    except redis_errors.ResponseError:
        return Durability.AOF
    value = answer.get("appendfsync", answer.get(b"appendfsync", "aof"))
    return Durability(value.decode() if isinstance(value, bytes) else value)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
