"""Many ask on one connection: each gets its own answer, whatever becomes of the others."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hiredis
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from redis import exceptions as redis_errors
from redis.asyncio import Redis

from state.connection import connect, open_client
from state.errors import StoreUnavailable
from state.grouping import GroupedCalls
from state.line import Line
from tests.waiting import wait_until
from tests.wire import metered


def _packed(*command: str | int) -> bytes:
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # typed as if of one argument
    return packed


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the line's own, so that its connection can be told from others."""
    async with open_client(redis_url) as client:
        yield client


@pytest.fixture
async def line(client: Redis) -> AsyncIterator[Line]:
    """A line that has connected."""
    line = Line(client.connection_pool)
    await line.ask(_packed("PING"))
    yield line
    await line.aclose()


async def test_an_earlier_answer_is_not_waited_for(line: Line, redis: Redis) -> None:
    """Whoever asks while others wait is on the way at once, behind them."""
    await redis.client_pause(30_000, all=False)
    waits = line.ask(_packed("SET", "key", "value", "EX", 9))
    await asyncio.sleep(0.02)
    behind = line.ask(_packed("ECHO", "behind"))
    await asyncio.sleep(0.02)
    [ours] = [each for each in await redis.client_list() if each["cmd"] == "set"]

    assert not waits.done()
    assert int(ours["qbuf"]) == len(_packed("ECHO", "behind"))
    await redis.client_unpause()
    assert [await waits, await behind] == [b"OK", b"behind"]


async def test_who_leaves_disturbs_nobody(line: Line) -> None:
    """The answer to a cancelled caller is thrown away, and is nobody else's."""
    before, leaves, after = (line.ask(_packed("ECHO", name)) for name in ("before", "leaves", "after"))
    await asyncio.sleep(0)
    leaves.cancel()

    assert (await before, await after) == (b"before", b"after")
    assert await line.ask(_packed("ECHO", "later")) == b"later"


async def test_an_answer_that_comes_in_pieces_is_put_together(line: Line) -> None:
    """Four megabytes, and what was asked before and behind them."""
    script = "return {string.rep('x', tonumber(ARGV[1])), false, 7, {'a', {}}}"
    asked = [
        line.ask(_packed("ECHO", "before")),
        line.ask(_packed("EVAL", script, 0, 4_000_000)),
        line.ask(_packed("ECHO", "behind")),
    ]

    assert [await each for each in asked] == [b"before", [b"x" * 4_000_000, None, 7, [b"a", []]], b"behind"]


async def test_a_lost_connection_is_the_answer_of_all_who_waited(line: Line, redis: Redis) -> None:
    """They cannot know whether their commands were run; the next one goes by a new connection."""
    await redis.client_pause(30_000, all=False)
    waiting = [line.ask(_packed("SET", f"key {number}", "value", "EX", 9)) for number in range(3)]
    await asyncio.sleep(0.02)
    await redis.client_kill_filter(_type="normal", skipme=True)
    answers = await asyncio.gather(*waiting)
    await redis.client_unpause()

    assert [type(answer) for answer in answers] == [redis_errors.ConnectionError] * 3
    assert await line.ask(_packed("ECHO", "later")) == b"later"


async def test_silence_is_the_answer_of_all_who_waited(redis: Redis, redis_url: str) -> None:
    """One timer for all of them: the oldest one's time is over, so the connection is."""
    async with open_client(redis_url, answer_within=timedelta(seconds=0.2)) as client:
        line = Line(client.connection_pool)
        await line.ask(_packed("PING"))
        await redis.client_pause(30_000, all=False)
        try:
            early = line.ask(_packed("SET", "early", "value", "EX", 9))
            await asyncio.sleep(0.1)
            late = line.ask(_packed("ECHO", "late"))
            answers = await asyncio.wait_for(asyncio.gather(early, late), 5)
        finally:
            await redis.client_unpause()
        again = await line.ask(_packed("ECHO", "again"))
        await line.aclose()

    assert [type(answer) for answer in answers] == [redis_errors.TimeoutError] * 2
    assert again == b"again"


async def test_answers_in_time_are_waited_for_as_long_as_they_come(redis_url: str) -> None:
    """What is asked all the time is late only if its own answer is."""
    async with open_client(redis_url, answer_within=timedelta(seconds=0.2)) as client:
        line = Line(client.connection_pool)
        first = await line.ask(_packed("CLIENT", "ID"))
        for _ in range(40):
            await line.ask(_packed("PING"))
            await asyncio.sleep(0.01)
        last = await line.ask(_packed("CLIENT", "ID"))
        await line.aclose()

    assert first == last


async def test_who_comes_while_an_unforeseen_failure_ends_the_connecting_gets_the_next_connection(
    client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event loop refuses in its own words; whoever asked meanwhile would wait for ever."""
    connecting, fails = asyncio.Event(), asyncio.Event()
    pool = client.connection_pool
    connected = pool.get_connection

    async def fail_once() -> object:
        monkeypatch.setattr(pool, "get_connection", connected)
        connecting.set()
        await fails.wait()
        raise RuntimeError("the handler is closed")

    monkeypatch.setattr(pool, "get_connection", fail_once)
    line = Line(pool)
    first = line.ask(_packed("ECHO", "first"))
    await connecting.wait()
    second = line.ask(_packed("ECHO", "second"))
    fails.set()

    with pytest.raises(redis_errors.ConnectionError, match="RuntimeError"):
        await first
    assert await asyncio.wait_for(second, 5) == b"second"
    await line.aclose()


async def test_a_demoted_primary_is_left(line: Line, redis: Redis) -> None:
    """Its successor is found by connecting anew: by a Sentinel, or behind the same name."""
    before = await line.ask(_packed("CLIENT", "ID"))
    await redis.replicaof("127.0.0.1", "1")
    try:
        refused = await line.ask(_packed("SET", "key", "value"))
    finally:
        await redis.replicaof("NO", "ONE")

    assert isinstance(refused, redis_errors.ReadOnlyError)
    assert await line.ask(_packed("CLIENT", "ID")) != before


async def test_all_work_goes_by_one_connection_and_the_rest_stays_in_the_pool(
    client: Redis, redis: Redis
) -> None:
    """Calls of many ticks, and a new one where it has been lost."""
    before = {each["id"] for each in await redis.client_list()}
    calls = GroupedCalls(client)
    for _ in range(20):
        await asyncio.gather(*(calls.command("ECHO", number) for number in range(20)))
    ours = [each for each in await redis.client_list() if each["id"] not in before]
    await redis.client_kill_filter(_id=ours[0]["id"], skipme=True)
    await wait_until(lambda: calls.command("PING"), description="it has connected anew")
    now = [each for each in await redis.client_list() if each["id"] not in before]
    await calls.aclose()

    assert (len(ours), len(now)) == (1, 1)
    assert ours[0]["id"] != now[0]["id"]


async def test_where_nobody_listens_all_are_told(tmp_path: Path) -> None:
    """Those who came while it tried to connect wait for a try of their own, and then are told too."""
    async with open_client(f"unix://{tmp_path}/absent") as client:
        line = Line(client.connection_pool)
        first = line.ask(_packed("PING"))
        await asyncio.sleep(0.05)
        second = line.ask(_packed("PING"))
        with pytest.raises(redis_errors.ConnectionError):
            await first

        assert not second.done()
        with pytest.raises(redis_errors.ConnectionError):
            await second
        await line.aclose()


async def test_a_closed_line_stays_closed(client: Redis, redis: Redis) -> None:
    """Who still waits is told, whoever comes later too, and nothing connects anew."""
    calls = GroupedCalls(client)
    await calls.command("PING")
    await redis.client_pause(30_000, all=False)
    waits = asyncio.create_task(calls.command("SET", "key", "value", "EX", 9))
    await asyncio.sleep(0.02)
    await calls.aclose()
    await redis.client_unpause()

    for late in (waits, calls.command("PING")):
        with pytest.raises(StoreUnavailable):
            await late
    assert [each for each in await redis.client_list() if each["cmd"] == "set"] == []


async def test_it_may_be_encrypted(redis_url: str, tmp_path: Path) -> None:
    """The answers are read from beneath redis-py, and above TLS."""
    async with (
        metered(redis_url, _tls(tmp_path)) as wire,
        await connect(wire.url + "?ssl_cert_reqs=none&ssl_check_hostname=false") as client,
    ):
        calls = GroupedCalls(client)
        script = "return string.rep('x', 300000)"
        asked = calls.command("EVAL", script, 0), calls.command("ECHO", "behind")
        answers = list(await asyncio.gather(*asked))
        await calls.aclose()

    assert answers == [b"x" * 300_000, b"behind"]


def _tls(folder: Path) -> ssl.SSLContext:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    written += builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
    (folder / "redis.pem").write_bytes(written)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "redis.pem")
    return context
