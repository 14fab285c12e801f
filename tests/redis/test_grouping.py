"""Calls of one tick share a round trip, and nothing else: each gets its own answer or its own error."""

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway.embedded import EmbeddedRedis
from state.connection import connect, open_client
from state.errors import StoreUnavailable
from state.grouping import GroupedCalls, Script


@pytest.fixture
async def calls(redis: Redis) -> GroupedCalls:
    """The calls of one process, on a connection that has been made."""
    grouped = GroupedCalls(redis)
    await grouped.command("PING")
    return grouped


async def _reads(redis: Redis) -> int:
    return int((await redis.info("stats"))["total_reads_processed"])


async def test_calls_of_one_tick_share_one_round_trip(calls: GroupedCalls, redis: Redis) -> None:
    """A hundred calls cost the server one read, not a hundred."""
    before = await _reads(redis)

    answers = await asyncio.gather(*(calls.command("ECHO", number) for number in range(100)))

    assert answers == [str(number).encode() for number in range(100)]
    assert await _reads(redis) - before <= 3


async def test_one_error_is_one_callers(calls: GroupedCalls) -> None:
    """What Redis refuses is refused to the one who asked."""
    answers = await asyncio.gather(
        calls.command("ECHO", "a"),
        calls.command("NO-SUCH"),
        calls.command("ECHO", "b"),
        return_exceptions=True,
    )

    assert (answers[0], answers[2]) == (b"a", b"b")
    assert isinstance(answers[1], ResponseError)


async def test_what_cannot_be_sent_fails_before_the_others(calls: GroupedCalls) -> None:
    """An argument of a foreign type holds up nobody else's call."""
    answers = await asyncio.gather(
        calls.command("ECHO", object()),  # type: ignore[arg-type]  # the mistake in question
        calls.command("ECHO", "b"),
        return_exceptions=True,
    )

    assert isinstance(answers[0], TypeError)
    assert answers[1] == b"b"


async def test_a_forgotten_script_is_loaded_and_run(calls: GroupedCalls, redis: Redis) -> None:
    """A restart, a fail-over or SCRIPT FLUSH costs one more round trip."""
    echo = Script("echo", "return ARGV[1]", await redis.script_load("return ARGV[1]"))
    await redis.script_flush()

    answers = await asyncio.gather(*(calls.script(echo, [], [letter]) for letter in "ab"))

    assert answers == [b"a", b"b"]


async def test_a_late_answer_is_nobody_elses(redis_server: EmbeddedRedis) -> None:
    """After a time-out the connection is given up, with the answers that were still on their way."""
    hasty = open_client(redis_server.url, answer_within=timedelta(seconds=0.1))
    async with await connect(redis_server.url) as patient, hasty:
        calls = GroupedCalls(hasty)
        await calls.command("PING")
        await patient.client_pause(30_000, all=False)
        try:
            with pytest.raises(StoreUnavailable):
                await asyncio.gather(
                    calls.command("ECHO", "early"), calls.command("SET", "key", "early", "EX", 9)
                )
        finally:
            await patient.client_unpause()

        assert await calls.command("ECHO", "late") == b"late"


async def test_calls_survive_a_cut_connection(calls: GroupedCalls, redis: Redis) -> None:
    """A connection that the server has closed is made again behind the caller's back."""
    await redis.client_kill_filter(_type="normal", skipme=True)

    assert await calls.command("ECHO", "again") == b"again"


async def test_what_is_under_way_at_the_close_connects_no_more(redis_server: EmbeddedRedis) -> None:
    """Its caller has gone, its connection is closed beneath it: another one would be nobody's."""
    async with await connect(redis_server.url) as patient:
        before = len(await patient.client_list())
        client = open_client(redis_server.url)
        calls = GroupedCalls(client)
        await calls.command("PING")
        await patient.client_pause(30_000, all=False)
        try:
            asked = asyncio.create_task(calls.command("SET", "key", "late", "EX", 9))
            await asyncio.sleep(0.05)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            await calls.aclose()
            await client.aclose()
            under_way = asyncio.all_tasks() - {asyncio.current_task()}
        finally:
            await patient.client_unpause()

        assert under_way == set()
        assert len(await patient.client_list()) == before
