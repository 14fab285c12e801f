"""The stream's group: read by one process at a time, taken over, made again, never stuck."""

from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr
from redis.asyncio import Redis

from gateway import Gateway
from gateway.embedded import EmbeddedRedis
from gateway.metrics import Metrics
from gateway.runtime import running
from gateway.settings import Settings, StreamSettings
from state.connection import connect
from state.conversation import Conversation
from state.pressure import Pressure
from tests.redis.conftest import Outside, Run
from tests.redis.streams.conftest import STREAM, Write, finished, heard_all, reading, shop
from tests.waiting import wait_until


async def test_a_group_that_is_gone_is_made_again_where_it_was(
    run: Run, write: Write, redis: Redis, outside: Outside
) -> None:
    """Somebody removed it; what the inbox had is not told again, what came meanwhile is."""
    heard: list[str] = []
    await run(shop(heard))
    await write(1)
    await heard_all(heard, ["1"])

    await redis.xgroup_destroy(STREAM, "fsm-gateway")
    await write(2)
    await heard_all(heard, ["1", "2"])
    await outside.settled()

    assert heard == ["1", "2"]


async def test_what_a_dead_reader_had_read_is_read_again(run: Run, write: Write, redis: Redis) -> None:
    """It died between reading and telling the inbox; the next one begins with what it left."""
    heard: list[str] = []
    await write(1)
    dead = reading(redis, "dead", timedelta(seconds=0.2))
    batch = await dead.read(10, unfinished=False)
    assert batch is not None
    assert len(batch.entries) == 1

    await run(shop(heard))

    await heard_all(heard, ["1"])


async def test_only_one_process_reads_at_a_time(redis: Redis, write: Write) -> None:
    """The other gets nothing until the first has gone, so nobody overtakes."""
    await write(1)
    first, second = reading(redis, "first"), reading(redis, "second")

    assert await first.read(10, unfinished=False) is not None
    assert await second.read(10, unfinished=True) is None
    await second.release()
    assert await second.read(10, unfinished=True) is None
    await first.release()
    batch = await second.read(10, unfinished=True)

    assert batch is not None
    assert [entry.fields[b"number"] for entry in batch.entries if entry.fields] == [b"1"]
    await second.release()


async def test_the_lag_is_told(redis: Redis, write: Write, outside: Outside) -> None:
    """What is unread, and what was read and not finished; on the page for Prometheus too."""
    pressure = Pressure(outside.scripts, oldest=timedelta(hours=1))
    await pressure.measure()
    stream = reading(redis, "reader")
    for number in range(3):
        await write(number)
    batch = await stream.read(1, unfinished=False)
    assert batch is not None

    behind = await stream.lag()
    page = await Metrics(outside.scripts.counts, pressure, {"shop": stream}).text()
    await stream.finish([batch.entries[0].id])

    assert (behind.unread, behind.unfinished) == (2, 1)
    assert b'gateway_stream_unread{stream="shop"} 2.0' in page
    assert b'gateway_stream_unfinished{stream="shop"} 1.0' in page
    assert (await stream.lag()).unfinished == 0
    await stream.release()


async def test_an_entry_removed_before_it_was_read_holds_nothing_up(
    run: Run, write: Write, redis: Redis
) -> None:
    """Redis still lists it among the unfinished ones, without its fields."""
    heard: list[str] = []
    gone = await write(1)
    await write(2)
    dead = reading(redis, "dead", timedelta(seconds=0.2))
    await dead.read(10, unfinished=False)
    await redis.xdel(STREAM, gone)

    await run(shop(heard))

    await heard_all(heard, ["2"])
    await wait_until(lambda: finished(redis), description="nothing is left unfinished")


async def test_while_the_inbox_takes_nothing_the_stream_keeps_it(
    settings: Settings, redis: Redis, redis_url: str, tmp_path: Path, conversation: Conversation
) -> None:
    """The stream lies in another Redis; what was read and not taken is read again, in its order."""
    heard: list[str] = []
    async with (
        EmbeddedRedis(tmp_path, supervised=False) as theirs,
        await connect(theirs.url) as their_redis,
    ):
        streams = {STREAM: StreamSettings(url=SecretStr(theirs.url))}
        elsewhere = settings.model_copy(update={"streams": streams})
        async with running(Gateway(shop(heard)), elsewhere, redis_url):
            await redis.config_set("min-replicas-to-write", 1)
            try:
                for number in range(3):
                    await their_redis.xadd(
                        STREAM, {"type": "shop.step", "user_id": conversation.user_id, "number": number}
                    )

                async def refused() -> bool:
                    groups = await their_redis.xinfo_groups(STREAM)
                    return bool(groups and groups[0]["pending"])

                await wait_until(refused, description="the bridge has read what the inbox refuses")
                assert heard == []
            finally:
                await redis.config_set("min-replicas-to-write", 0)

            await heard_all(heard, ["0", "1", "2"])
