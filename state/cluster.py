"""A Redis Cluster: which node has a key, asked anew when a slot or a primary has moved."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from redis import exceptions as redis_errors
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from state.errors import StoreMisconfigured

SCHEMES: Final = ("redis+cluster", "rediss+cluster")
_PORT: Final = 6379
_FORM: Final = "redis+cluster://user:password@host1:6379,host2:6379"

Place = tuple[str, int]


class Nodes:
    """The primaries, a pool of connections for each, and the slots that each has."""

    def __init__(self, seeds: Sequence[Place], options: Mapping[str, Any]) -> None:
        self._seeds = seeds
        self._options = options
        self._pools: dict[Place, BlockingConnectionPool] = {}
        self._slots: list[Place | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        self._asking = asyncio.Lock()
        self._asked = 0

    def pool_at(self, place: Place) -> BlockingConnectionPool:
        """Return the pool of the node at *place*."""
        pool = self._pools.get(place)
        if pool is None:
            host, port = place
            pool = self._pools[place] = BlockingConnectionPool(host=host, port=port, **self._options)
        return pool

    def of(self, key: str | None) -> BlockingConnectionPool:
        """
        Return the pool of the node that has *key*; None: of any.

        Raises:
            redis.exceptions.ClusterDownError: no node is known to have it.
        """
        place = self.any() if key is None else self._slots[key_slot(key.encode())]
        if place is None:
            raise redis_errors.ClusterDownError("no node is known to have the slot")
        return self.pool_at(place)

    def any(self) -> Place:
        """Return a primary; before any is known, where to ask for them."""
        known = list({place for place in self._slots if place is not None})
        return random.choice(known or list(self._seeds))  # noqa: S311 - no secret

    async def ask(self) -> None:
        """
        Ask the nodes, one after the other until one answers, who has which slots.

        Raises:
            redis.exceptions.ConnectionError: none answers.
        """
        asked = self._asked
        async with self._asking:
            if asked != self._asked:
                # Somebody else has asked while we waited.
                return
            known = list({place for place in self._slots if place is not None})
            random.shuffle(known)
            failure: Exception = redis_errors.ConnectionError("no node of the Cluster answers")
            for place in [*known, *self._seeds]:
                try:
                    asker = Redis(connection_pool=self.pool_at(place))
                    rows = await asker.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]  # redis-py's
                except (redis_errors.RedisError, OSError) as error:
                    failure = error
                    continue
                self._learn(rows, asked_at=place[0])
                self._asked += 1
                return
            raise redis_errors.ConnectionError("no node of the Cluster answers") from failure

    def _learn(self, rows: Sequence[Sequence[Any]], *, asked_at: str) -> None:
        slots: list[Place | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, (host, port, *_), *_replicas in rows:
            # A node that does not know its own address leaves it out.
            place = (host.decode() if host else asked_at, int(port))
            slots[first : last + 1] = [place] * (last - first + 1)
        self._slots = slots

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.disconnect()


class _AnyNode(Connection):
    """Connects to whichever primary; another one the next time."""

    def __init__(self, *, nodes: Nodes, **options: Any) -> None:
        self._nodes = nodes
        super().__init__(**options)

    async def connect(self) -> None:
        if not self.is_connected:
            self.host, self.port = self._nodes.any()
        await super().connect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped


class _AnyNodeOverTls(_AnyNode, SSLConnection):
    """The same, encrypted."""


class ClusterRedis(Redis):
    """What names no key goes to any primary (messages reach all); `nodes` knows where a key is."""

    def __init__(self, nodes: Nodes, pool: BlockingConnectionPool) -> None:
        super().__init__(connection_pool=pool)
        self.auto_close_connection_pool = True
        self.nodes = nodes

    async def at(self, key: str) -> Redis:
        """
        Return a client of the node that has *key* now; it is closed with this one.

        Raises:
            redis.exceptions.ConnectionError: no node answers.
            redis.exceptions.ClusterDownError: none has it.
        """
        try:
            pool = self.nodes.of(key)
        except redis_errors.ClusterDownError:
            await self.nodes.ask()
            pool = self.nodes.of(key)
        return Redis(connection_pool=pool)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the connections to all nodes."""
        await super().aclose(close_connection_pool)
        await self.nodes.aclose()


def cluster_client(url: str, options: Mapping[str, Any]) -> ClusterRedis:
    """
    A client for the Cluster that the nodes at *url* know: `redis+cluster://host1:6379,host2:6379`.

    Raises:
        StoreMisconfigured: *url* is of another form; it is not repeated, as it may hold a password.
    """
    parts = urlsplit(url)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    seeds = [_place(each) for each in parts.netloc.rpartition("@")[2].split(",") if each]
    if not seeds or parts.path.strip("/") not in ("", "0"):
        raise StoreMisconfigured([f"redis.url must look like {_FORM}"])
    secret: dict[str, Any] = {"username": unquote(user) or None, "password": unquote(password) or None}
    tls = parts.scheme.startswith("rediss")
    kind: dict[str, Any] = {"connection_class": SSLConnection} if tls else {}
    nodes = Nodes(seeds, {**options, **secret, **kind})
    any_node = _AnyNodeOverTls if tls else _AnyNode
    return ClusterRedis(
        nodes, BlockingConnectionPool(connection_class=any_node, nodes=nodes, **options, **secret)
    )


def _place(text: str) -> Place:
    name, _, port = text.rpartition(":") if ":" in text and not text.endswith("]") else (text, "", "")
    if port and not port.isdecimal():
        raise StoreMisconfigured([f"redis.url must look like {_FORM}"])
    return name.strip("[]"), int(port or _PORT)
