"""How much of Redis's memory one typical conversation takes, with all that is kept beside it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from gateway.embedded import EmbeddedRedis
from state.connection import connect
from state.keys import Keys
from tests.benchmarks import typical


@dataclass(frozen=True, slots=True)
class Taken:
    """Bytes for each conversation."""

    conversations: int
    hash_bytes: float
    """Of its hash alone, as MEMORY USAGE has it."""
    all_bytes: float
    """Of all that the server holds more than before: hash, key, expiry, its place in the states' index."""


async def taken(redis: Redis, conversations: int) -> Taken:
    """
    Make that many typical conversations in an empty Redis, and return what they take.

    Each is made as a gateway does it: a copy may be laid out more tightly.
    """
    # One is made before: the scripts' own place in memory is no conversation's.
    await typical.make(redis, 1)
    before = await _used(redis)
    await typical.make(redis, conversations)
    keys = Keys()
    sample = [each for number, each in enumerate(typical.conversations(conversations)) if number % 97 == 0]
    usages = [int(await redis.memory_usage(keys.conversation(each)) or 0) for each in sample]
    return Taken(
        conversations,
        sum(usages) / len(usages),
        (await _used(redis) - before) / (conversations - 1),
    )


async def _used(redis: Redis) -> int:
    return int((await redis.info("memory"))["used_memory"])


async def measure(conversations: int, binary: Path | None = None) -> Taken:
    """Measure on a Redis of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedRedis(Path(folder), binary=binary, supervised=False) as server:
            redis = await connect(server.url)
            try:
                return await taken(redis, conversations)
            finally:
                await redis.aclose()
