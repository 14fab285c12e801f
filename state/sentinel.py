"""A Redis whose primary the Sentinels name, and name anew after a failover."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool

from state.errors import StoreMisconfigured

SCHEMES: Final = ("redis+sentinel", "rediss+sentinel")
_PORT: Final = 26_379
_FORM: Final = "redis+sentinel://host1:26379,host2:26379/0/name-of-the-primary"


class _Pool(SentinelConnectionPool, BlockingConnectionPool):
    """Asks the Sentinels for the primary at each connecting, and makes callers wait when all are in use."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """Close the connections; all of them: those to the Sentinels too, which redis-py leaves open."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


def sentinel_pool(url: str, options: Mapping[str, Any]) -> BlockingConnectionPool:
    """
    A pool of connections to the primary that the Sentinels at *url* name.

    `redis+sentinel://user:password@host1,host2/0/name?sentinel_password=...`: user and password are Redis's
    own, the Sentinels' stand in the query. `rediss+sentinel` speaks TLS to all of them.

    Raises:
        StoreMisconfigured: *url* is of another form; it is not repeated, as it may hold a password.
    """
    parts = urlsplit(url)
    place = parts.path.strip("/").split("/")
    hosts = [_host(each) for each in parts.netloc.rpartition("@")[2].split(",") if each]
    if len(place) != 2 or not place[0].isdecimal() or not all(place) or not hosts:
        raise StoreMisconfigured([f"redis.url must look like {_FORM}"])
    query = parse_qs(parts.query)
    tls = parts.scheme.startswith("rediss")
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    ours = {
        "db": int(place[0]),
        "username": unquote(user) or None,
        "password": unquote(password) or None,
        **({"ssl": True} if tls else {}),
    }
    theirs = {
        "username": query.get("sentinel_username", [None])[0],
        "password": query.get("sentinel_password", [None])[0],
        "socket_timeout": 1.0,
        "socket_connect_timeout": 1.0,
        **({"ssl": True} if tls else {}),
    }
    sentinels = Sentinel(hosts, sentinel_kwargs=theirs)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    return _Pool(unquote(place[1]), sentinels, **ours, **options)  # type: ignore[no-untyped-call]  # redis-py's


def _host(text: str) -> tuple[str, int]:
    name, _, port = text.rpartition(":") if not text.endswith("]") and ":" in text else (text, "", "")
    if port and not port.isdecimal():
        raise StoreMisconfigured([f"redis.url must look like {_FORM}"])
    return name.strip("[]"), int(port or _PORT)
