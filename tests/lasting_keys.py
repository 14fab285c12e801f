"""Which keys may stay for ever, and which of a Redis do."""

import fnmatch
import re

from redis import Redis

from state.keys import PERMANENT


def permanent_names() -> re.Pattern[str]:
    """
    Return what the names match that `state.keys.PERMANENT` allows, each for its reason there.

    The star that begins them stands for the prefix and the partition, and not for any other key's beginning.
    """
    rests = "|".join(fnmatch.translate(pattern.removeprefix("*:")) for pattern in PERMANENT)
    return re.compile(rf"[^:{{}}]+:(?:\{{[0-9a-f]{{2}}\}}:)?(?:{rests})")


def keys_that_never_expire(redis: Redis, permanent: re.Pattern[str]) -> list[str]:
    """Return every key without an expiry whose name *permanent* does not match."""
    names = [name for name in redis.scan_iter(count=1000) if not permanent.fullmatch(name.decode())]
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.ttl(name)
    return sorted(name.decode() for name, ttl in zip(names, pipeline.execute(), strict=True) if ttl == -1)
