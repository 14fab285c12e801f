"""Several Redis that replace one another: real processes that can be killed."""

import asyncio
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.embedded import EmbeddedRedis
from gateway.embedded_binary import find_redis_server
from tests.ports import free_port
from tests.waiting import wait_until

NAME = "shop"


class SentinelGroup:
    """Fails over within a second or two after the primary has died."""

    def __init__(self, directory: Path, binary: Path | None = None, *, replicas: int = 1) -> None:
        self._binary = binary or find_redis_server()
        self._directory = directory
        self._ports = [free_port() for _ in range(1 + replicas)]
        self.servers = [
            EmbeddedRedis(directory / f"server-{port}", binary=self._binary, tcp_port=port, supervised=False)
            for port in self._ports
        ]
        self._sentinel_ports = [free_port() for _ in range(3)]
        self._sentinels: list[subprocess.Popen[bytes]] = []
        self._opened = AsyncExitStack()

    @property
    def url(self) -> str:
        """The address for a gateway."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._sentinel_ports)
        return f"redis+sentinel://{hosts}/0/{NAME}"

    @property
    def primary(self) -> EmbeddedRedis:
        """The server that is the primary at first."""
        return self.servers[0]

    async def __aenter__(self) -> Self:
        for server in self.servers:
            await self._opened.enter_async_context(server)
        for server in self.servers[1:]:
            async with Redis.from_url(server.url) as replica:
                await replica.replicaof("127.0.0.1", str(self._ports[0]))
        for number, port in enumerate(self._sentinel_ports):
            self._sentinels.append(self._start_sentinel(number, port))
        await wait_until(self._is_watched, description="the Sentinels know all servers", seconds=30)
        return self

    async def __aexit__(self, *_: object) -> None:
        for sentinel in self._sentinels:
            sentinel.kill()
            sentinel.wait()
        await self._opened.aclose()

    def _start_sentinel(self, number: int, port: int) -> subprocess.Popen[bytes]:
        folder = self._directory / f"sentinel-{number}"
        folder.mkdir()
        (folder / "sentinel.conf").write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor {NAME} 127.0.0.1 {self._ports[0]} 2\n"
            f"sentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 3000\n"
        )
        command = [str(self._binary), str(folder / "sentinel.conf"), "--sentinel"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    async def _is_watched(self) -> bool:
        async with Redis.from_url(self.servers[-1].url) as replica:
            if (await replica.info("replication")).get("master_link_status") != "up":
                return False
        for port in self._sentinel_ports:
            async with Redis(port=port, decode_responses=True) as sentinel:
                try:
                    facts = await sentinel.sentinel_master(NAME)
                except (RedisError, OSError):
                    return False
            assert isinstance(facts, dict)
            if (facts["num-other-sentinels"], facts["num-slaves"]) != (2, len(self.servers) - 1):
                return False
        return True


class SixNodes:
    """A Cluster of three primaries, each with a replica that takes its place within some seconds."""

    def __init__(self, directory: Path, binary: Path | None = None) -> None:
        self._ports = [free_port() for _ in range(6)]
        self._bus_ports = [free_port() for _ in range(6)]
        self.servers = [
            EmbeddedRedis(
                directory / f"node-{port}",
                binary=binary or find_redis_server(),
                tcp_port=port,
                extra={
                    "cluster-enabled": "yes",
                    "cluster-node-timeout": "1000",
                    "cluster-port": str(bus_port),
                    "appendfsync": "always",
                },
                supervised=False,
            )
            for port, bus_port in zip(self._ports, self._bus_ports, strict=True)
        ]
        self._opened = AsyncExitStack()

    @property
    def url(self) -> str:
        """The address for a gateway."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in self._ports)

    async def __aenter__(self) -> Self:
        for server in self.servers:
            await self._opened.enter_async_context(server)
        names = [await self._do(number, "CLUSTER", "MYID") for number in range(6)]
        for port, bus_port in zip(self._ports[1:], self._bus_ports[1:], strict=True):
            await self._do(0, "CLUSTER", "MEET", "127.0.0.1", str(port), str(bus_port))
        for number, (first, last) in enumerate(((0, 5460), (5461, 10_922), (10_923, 16_383))):
            await self._do(number, "CLUSTER", "ADDSLOTSRANGE", str(first), str(last))

        async def all_met() -> bool:
            return all([(await self._facts(number))["cluster_known_nodes"] == "6" for number in range(6)])

        await wait_until(all_met, description="all nodes have met", seconds=60)
        for number in range(3):
            await self._do(3 + number, "CLUSTER", "REPLICATE", names[number])
        await wait_until(self._is_whole, description="the Cluster is whole", seconds=60)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def move_slot(self, slot: int) -> None:
        """Move a slot with its keys from its first node to the next, in the steps of an operator's tool."""
        source = 0 if slot <= 5460 else 1 if slot <= 10_922 else 2
        target = (source + 1) % 3
        names = [await self._do(number, "CLUSTER", "MYID") for number in (source, target)]
        await self._do(target, "CLUSTER", "SETSLOT", str(slot), "IMPORTING", names[0])
        await self._do(source, "CLUSTER", "SETSLOT", str(slot), "MIGRATING", names[1])
        async with Redis.from_url(self.servers[source].url) as node:
            held = ("CLUSTER", "GETKEYSINSLOT", slot, 10)
            while keys := await node.execute_command(*held):  # type: ignore[no-untyped-call]  # redis-py's
                for key in keys:
                    await node.migrate("127.0.0.1", self._ports[target], key, 0, 2000)
                    # Whoever calls meanwhile is sent to the one node or the other, or told to try again.
                    await asyncio.sleep(0.005)
        for number in (target, source):
            await self._do(number, "CLUSTER", "SETSLOT", str(slot), "NODE", names[1])

    async def _do(self, number: int, *command: str) -> str:
        async with Redis.from_url(self.servers[number].url, decode_responses=True) as node:
            return str(await node.execute_command(*command))  # type: ignore[no-untyped-call]  # redis-py's

    async def _facts(self, number: int) -> dict[str, str]:
        async with Redis.from_url(self.servers[number].url, decode_responses=True) as node:
            facts: dict[str, str] = await node.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]  # redis-py's
            return facts

    async def _is_whole(self) -> bool:
        for number, server in enumerate(self.servers):
            if (await self._facts(number))["cluster_state"] != "ok":
                return False
            async with Redis.from_url(server.url) as node:
                facts = await node.info("replication")
            if number >= 3 and facts.get("master_link_status") != "up":
                return False
        return True
