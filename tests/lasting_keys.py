"""Which keys may stay for ever, and which of a Redis do."""

from fnmatch import fnmatchcase

from redis.asyncio import Redis

from state.keys import PERMANENT


def permanent_patterns() -> tuple[str, ...]:
    """The patterns that `state.keys.PERMANENT` names, each with its reason there."""
    return tuple(PERMANENT)


async def keys_that_never_expire(redis: Redis, permanent: tuple[str, ...]) -> list[str]:
    """Every key without an expiry that no pattern of *permanent* covers."""
    lasting = []
    async for key in redis.scan_iter(count=1000):
        name = key.decode()
        if await redis.ttl(key) == -1 and not any(fnmatchcase(name, pattern) for pattern in permanent):
            lasting.append(name)
    return sorted(lasting)
