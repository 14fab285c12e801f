"""The check that runs after every test on Redis: it finds what would stay for ever, and nothing else."""

import pytest
import redis as redis_py
from redis.asyncio import Redis

from tests.lasting_keys import keys_that_never_expire, permanent_names


@pytest.mark.parametrize(
    "name, stays",
    [
        ("gw:{00}:c:42:501:501", True),
        ("gw:{00}:seen:stripe:evt:inbox", True),
        ("gw:{00}:seen:service:workers", True),
        ("gw:{00}:x:p:1", True),
        ("somebody:elses", True),
        ("gw:{00}:inbox", False),
        ("gw:{3f}:p:42:501:501", False),
        ("another-prefix:{00}:due", False),
        ("gw:workers", False),
    ],
)
async def test_a_key_that_would_stay_for_ever_is_found_by_its_whole_name(
    redis: Redis, redis_url: str, name: str, stays: bool
) -> None:
    """A key that merely ends like a permanent one is none."""
    await redis.set(name, "x")
    await redis.set("gw:{00}:seen:service:1", "x", ex=60)
    with redis_py.Redis.from_url(redis_url) as client:
        assert keys_that_never_expire(client, permanent_names()) == ([name] if stays else [])

    await redis.flushall()
