"""`gateway serve` as a whole: what it refuses to start on, processes, roles, and how it ends."""

import os
import signal
import socket
from pathlib import Path

import httpx

from gateway.embedded import EmbeddedRedis
from tests.acceptance.served import TOKEN, bot_in, refused, serving
from tests.processes import is_running
from tests.waiting import wait_until


async def test_one_command_brings_all_up_and_one_signal_takes_all_down(tmp_path: Path) -> None:
    """Embedded Redis included: nothing is left running, no secret is in the log, a second one is refused."""
    async with serving(cwd=bot_in(tmp_path)) as served:
        async with httpx.AsyncClient(base_url=served.url) as client:
            alive, ready = await client.get("/livez"), await client.get("/readyz")
        second, said = await refused(cwd=tmp_path)
        code = await served.terminated()

    assert (alive.status_code, ready.status_code) == (200, 200)
    assert second == 2
    assert len(said) == 1
    assert f"in use by another gateway (process {served.process.pid})" in said[0]
    assert code == 0
    assert [entry["event"] for entry in served.entries][-2:] == ["draining", "stopped"]
    assert not (tmp_path / ".gateway/redis/redis.sock").exists()
    assert TOKEN not in str(served.entries)


async def test_a_taken_address_is_one_line(tmp_path: Path) -> None:
    """With the option that helps."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = await refused("--port", str(port), cwd=bot_in(tmp_path))

    assert code == 2
    assert len(said) == 1
    assert said[0].startswith(f"gateway: web: cannot listen on 127.0.0.1 port {port} (")
    assert said[0].endswith("choose another with --port")


async def test_a_redis_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    """A failure and no mistake: exit code 1. The password in the address is not repeated."""
    nobody = {"GATEWAY_REDIS__URL": "redis://:geheim@127.0.0.1:1/0"}

    code, said = await refused(cwd=bot_in(tmp_path), environ=nobody)

    assert (code, len(said)) == (1, 1)
    assert said[0].startswith("gateway: redis: ")
    assert "geheim" not in said[0]


async def test_a_redis_that_cannot_hold_the_guarantees_is_refused(tmp_path: Path) -> None:
    """Or one laid out otherwise, where everybody's state would be looked for in the wrong place."""
    bot_in(tmp_path)
    async with EmbeddedRedis(tmp_path / "redis", extra={"maxmemory": "100mb"}) as server:
        there = {"GATEWAY_REDIS__URL": server.url}
        async with serving(cwd=tmp_path, environ=there) as served:
            await served.terminated()

        resized, layout = await refused(cwd=tmp_path, environ={**there, "GATEWAY_REDIS__PARTITIONS": "32"})

    evicting = {"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}
    async with EmbeddedRedis(tmp_path / "redis", extra=evicting) as server:
        forgetful, policy = await refused(cwd=tmp_path, environ={"GATEWAY_REDIS__URL": server.url})

    assert (resized, len(layout)) == (2, 1)
    assert layout[0].startswith("gateway: redis.partitions: ")
    assert "set redis.partitions = 64" in layout[0]
    assert (forgetful, len(policy)) == (2, 1)
    assert policy[0].endswith("set maxmemory-policy noeviction")


async def test_several_processes_share_one_address_and_a_dead_one_is_replaced(tmp_path: Path) -> None:
    """Both accept; one is killed and another comes; SIGTERM drains all of them, exit code 0."""
    async with serving("--workers", "2", cwd=bot_in(tmp_path), times=2) as served:
        os.kill(served.pids_of("listening")[0], signal.SIGKILL)
        await wait_until(
            lambda: len(served.logged("listening")) == 3, description="a third process listens", seconds=45
        )
        async with httpx.AsyncClient(base_url=served.url) as client:
            ready = await client.get("/readyz")
        code = await served.terminated()

    assert ready.status_code == 200
    assert code == 0
    assert len(served.logged("a process ended unasked, starting another")) == 1
    assert not any(is_running(pid) for pid in served.pids_of("listening"))


async def test_the_processes_of_a_killed_gateway_end(tmp_path: Path) -> None:
    """SIGKILL of the parent leaves nobody who would keep the address or the data."""
    async with serving("--workers", "2", cwd=bot_in(tmp_path), times=2) as served:
        served.process.kill()

        await wait_until(
            lambda: not any(is_running(pid) for pid in served.pids_of("listening")),
            description="both processes have ended",
            seconds=30,
        )

    async with EmbeddedRedis(tmp_path / ".gateway/redis") as successor:
        assert successor.pid is not None


async def test_a_worker_listens_nowhere_and_a_web_process_only_accepts(tmp_path: Path) -> None:
    """Two roles, one Redis; each ends in good order by itself."""
    bot_in(tmp_path)
    async with EmbeddedRedis(tmp_path / "redis") as server:
        there = {"GATEWAY_REDIS__URL": server.url}
        async with (
            serving("--role", "web", cwd=tmp_path, environ=there) as web,
            serving("--role", "worker", cwd=tmp_path, environ=there, up="working") as worker,
        ):
            async with httpx.AsyncClient(base_url=web.url) as client:
                ready = await client.get("/readyz")
            codes = (await web.terminated(), await worker.terminated())

    assert ready.status_code == 200
    assert codes == (0, 0)
    assert worker.logged("listening") == []
    assert web.logged("working") == []
