"""The connection: what it refuses, what it warns of, what it survives, and whose exceptions get out."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from redis import exceptions as redis_errors
from redis.asyncio import Redis

from gateway.embedded import EmbeddedRedis
from state.connection import Durability, ServerFacts, connect, server_facts, store_errors
from state.errors import StoreMisconfigured, StoreUnavailable
from tests.waiting import wait_until

SOUND = ServerFacts(
    version=(7, 0, 0),
    is_replica=False,
    is_cluster_node=False,
    maxmemory_bytes=0,
    eviction_policy="allkeys-lru",
    durability=Durability.EVERY_SECOND,
)


async def _refusal(server: EmbeddedRedis, url: str | None = None) -> StoreMisconfigured:
    with pytest.raises(StoreMisconfigured) as refusal:
        async with await connect(url or server.url):
            pass
    return refusal.value


async def _as_user(server: EmbeddedRedis, name: str, forbidden: str) -> str:
    """The address for a new user who may do all but *forbidden*."""
    async with await connect(server.url) as redis:
        await redis.acl_setuser(
            name, enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", forbidden]
        )
    return server.url.replace("unix://", f"unix://{name}:secret@")


async def test_answers_are_bytes(redis: Redis) -> None:
    """Nothing is decoded behind a storage's back."""
    await redis.set("key", "value", ex=10)

    assert await redis.get("key") == b"value"


def test_an_old_server_is_refused() -> None:
    """Functions that the scripts rest on came with 7.0."""
    old = ServerFacts((6, 2, 14), False, False, 0, "noeviction", Durability.EVERY_SECOND)

    assert old.problems() == ("Redis 6.2.14 is too old; the gateway needs 7.0 or later",)


def test_the_oldest_supported_server_is_taken() -> None:
    """An eviction policy without a memory limit evicts nothing."""
    assert SOUND.problems() + SOUND.warnings() == ()


async def test_a_server_that_would_evict_is_refused(tmp_path: Path) -> None:
    """With a memory limit and an evicting policy, Redis would delete accepted events."""
    evicting = {"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}
    async with EmbeddedRedis(tmp_path / "data", extra=evicting) as server:
        refusal = await _refusal(server)

    assert len(refusal.problems) == 1
    assert "maxmemory-policy is allkeys-lru" in refusal.problems[0]
    assert "set maxmemory-policy noeviction" in refusal.problems[0]


async def test_a_memory_limit_without_eviction_is_taken(tmp_path: Path) -> None:
    """A full Redis then refuses writes, which is a 503 and no loss."""
    async with (
        EmbeddedRedis(tmp_path / "data", extra={"maxmemory": "100mb"}) as server,
        await connect(server.url) as redis,
    ):
        assert (await server_facts(redis)).maxmemory_bytes == 100 * 1024 * 1024


async def test_a_replica_is_refused(tmp_path: Path) -> None:
    """A replica takes no writes, or loses them at its next synchronisation."""
    async with EmbeddedRedis(tmp_path / "data", extra={"replicaof": "127.0.0.1 1"}) as server:
        refusal = await _refusal(server)

    assert "replica" in refusal.problems[0]
    assert "primary" in refusal.problems[0]


async def test_a_node_of_a_cluster_is_refused(tmp_path: Path) -> None:
    """One connection to one node would see a part of the partitions only."""
    async with EmbeddedRedis(tmp_path / "data", extra={"cluster-enabled": "yes"}) as server:
        refusal = await _refusal(server)

    assert "Cluster" in refusal.problems[0]


async def test_a_server_without_aof_is_warned_of_by_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It works, and the operator reads what it can lose and which option mends it."""
    async with EmbeddedRedis(tmp_path / "data", extra={"appendonly": "no"}) as server:
        with caplog.at_level(logging.WARNING, logger="state.connection"):
            async with await connect(server.url) as redis:
                assert Durability.NONE is (await server_facts(redis)).durability

    assert "set appendonly yes" in caplog.text


async def test_forbidden_config_is_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Managed servers forbid CONFIG: INFO tells all but appendfsync, and that is said."""
    async with EmbeddedRedis(tmp_path / "data") as server:
        url = await _as_user(server, "managed", "-config")
        with caplog.at_level(logging.WARNING, logger="state.connection"):
            async with await connect(url) as redis:
                assert Durability.AOF is (await server_facts(redis)).durability

    assert "CONFIG is forbidden" in caplog.text


async def test_forbidden_info_is_refused(tmp_path: Path) -> None:
    """A server that cannot be judged is not trusted."""
    async with EmbeddedRedis(tmp_path / "data") as server:
        refusal = await _refusal(server, await _as_user(server, "blind", "-info"))

    assert refusal.problems == ("this Redis user may not run INFO; grant it +info",)


@pytest.mark.parametrize("credentials", ["", "default:wrong@", "nobody:secret@"])
async def test_a_wrong_password_is_refused_and_not_repeated(tmp_path: Path, credentials: str) -> None:
    """The refusal names the setting, and neither the password nor the address."""
    async with EmbeddedRedis(tmp_path / "data") as server:
        async with await connect(server.url) as redis:
            await redis.config_set("requirepass", "secret")
        refusal = await _refusal(server, server.url.replace("unix://", f"unix://{credentials}"))

    assert "redis.url" in str(refusal)
    assert "wrong" not in str(refusal)


@pytest.mark.parametrize("url", ["http://127.0.0.1:6379", "127.0.0.1:6379", ""])
async def test_what_is_no_redis_url_is_refused(url: str) -> None:
    """The remedy is in the refusal."""
    with pytest.raises(StoreMisconfigured, match="must begin with redis://, rediss://, unix://"):
        async with await connect(url):
            pass


async def test_nobody_at_the_address_is_unavailable(tmp_path: Path) -> None:
    """A Redis that is not there yet is no fault of the configuration: it may come."""
    with pytest.raises(StoreUnavailable) as refusal:
        async with await connect(f"unix://{tmp_path}/absent", wait_for_server=timedelta(0)):
            pass

    assert refusal.value.retry_after_seconds >= 1


async def test_a_client_survives_a_restart_of_redis(tmp_path: Path) -> None:
    """A command that meets the restart is tried again; the client needs no hand."""
    async with (
        EmbeddedRedis(tmp_path / "data", supervised=False) as server,
        await connect(server.url) as redis,
    ):
        await redis.set("written", "before")

        await server.restart()

        with store_errors():
            assert await redis.get("written") == b"before"


async def test_a_redis_that_is_gone_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    """The same client answers again, without being made anew."""
    async with (
        EmbeddedRedis(tmp_path / "data", supervised=False) as server,
        await connect(server.url) as redis,
    ):
        await server.kill()
        with pytest.raises(StoreUnavailable) as refusal, store_errors():
            await redis.get("anything")
        assert isinstance(refusal.value.__cause__, redis_errors.ConnectionError)

        await server.restart()

        with store_errors():
            assert await redis.ping()


async def test_a_full_redis_is_unavailable(tmp_path: Path) -> None:
    """Out of memory inside a script, too: nothing is written, the caller is told to come later."""
    async with EmbeddedRedis(tmp_path / "data") as server, await connect(server.url) as redis:
        await redis.config_set("maxmemory", "1")

        with pytest.raises(StoreUnavailable) as refusal, store_errors():
            await redis.eval("return redis.call('set', KEYS[1], 'x')", 1, "key")

        assert refusal.value.retry_after_seconds > 1
        assert not await redis.exists("key")


async def test_a_primary_that_became_a_replica_is_unavailable(tmp_path: Path) -> None:
    """After a failover the old primary is read-only; the client comes back when it can write again."""
    async with EmbeddedRedis(tmp_path / "data") as server, await connect(server.url) as redis:
        await redis.replicaof("127.0.0.1", 1)
        with pytest.raises(StoreUnavailable), store_errors():
            await redis.set("key", "value")

        await redis.replicaof("NO", "ONE")

        with store_errors():
            assert await redis.set("key", "value")


async def _endless_script(redis: Redis) -> None:
    await redis.eval("while true do end", 0)


async def test_a_busy_script_is_unavailable(tmp_path: Path) -> None:
    """Somebody's endless script blocks Redis for a while; it is no error of ours."""
    async with (
        EmbeddedRedis(tmp_path / "data", extra={"busy-reply-threshold": "1"}) as server,
        await connect(server.url) as redis,
        await connect(server.url, answer_within=timedelta(seconds=30)) as culprit,
    ):
        endless = asyncio.ensure_future(_endless_script(culprit))

        async def refuses() -> bool:
            try:
                with store_errors():
                    await redis.ping()
            except StoreUnavailable:
                return True
            return False

        await wait_until(refuses, description="Redis says BUSY")
        await redis.script_kill()
        with pytest.raises(redis_errors.ResponseError):
            await endless


async def test_an_error_that_time_does_not_mend_passes_untranslated(redis: Redis) -> None:
    """A mistake of ours must not look like a Redis that is away."""
    await redis.set("text", "value", ex=10)

    with pytest.raises(redis_errors.ResponseError, match="WRONGTYPE"), store_errors():
        await redis.hgetall("text")


def test_other_exceptions_pass() -> None:
    """Only redis-py's own are translated."""
    with pytest.raises(LookupError), store_errors():
        raise LookupError
