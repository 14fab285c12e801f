"""Real parts for every test: one redis-server for each test process, empty at the start of each test."""

import io
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import redis as redis_py
import structlog
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis

from gateway.embedded import EmbeddedRedis
from state.connection import connect
from tests.lasting_keys import keys_that_never_expire, permanent_names

# Every run tries the same inputs, and none fails because a machine is busy; `make chaos` searches at random.
settings.register_profile(
    "fixed", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("random", parent=settings.get_profile("fixed"), derandomize=False)
settings.load_profile(os.environ.get("GATEWAY_SEARCH", "fixed"))


@pytest.fixture(scope="session")
def redis_binary() -> Path | None:
    """The redis-server to test with: GATEWAY_TEST_REDIS_SERVER, or the one that the gateway would take."""
    chosen = os.environ.get("GATEWAY_TEST_REDIS_SERVER")
    return Path(chosen) if chosen else None


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_server(
    tmp_path_factory: pytest.TempPathFactory, redis_binary: Path | None
) -> AsyncIterator[EmbeddedRedis]:
    """A real Redis of this test process's own. Who wants to break one starts another."""
    directory = tmp_path_factory.mktemp("redis")
    async with EmbeddedRedis(directory, binary=redis_binary, supervised=False) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    """The address of the shared Redis; the test that uses it alone does not have it emptied."""
    return redis_server.url


@pytest.fixture(autouse=True)
def no_key_stays_for_ever(request: pytest.FixtureRequest) -> Iterator[None]:
    """
    Fail a test on Redis, after it has put everything away, whose keys would stay for ever.

    Those that may are in `state.keys.PERMANENT`.
    """
    yield
    if "redis_server" in request.fixturenames:
        server: EmbeddedRedis = request.getfixturevalue("redis_server")
        with redis_py.Redis.from_url(server.url) as client:
            assert keys_that_never_expire(client, permanent_names()) == [], "these keys would stay for ever"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A checked client on an empty Redis."""
    client = await connect(redis_url)
    try:
        await client.flushall()
        yield client
    finally:
        await client.aclose()


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What was logged; the loggers are put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:], level = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
