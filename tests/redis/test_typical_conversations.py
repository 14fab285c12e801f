"""The conversations beside which the benchmarks measure."""

from typing import Any

from redis.asyncio import Redis

from tests.benchmarks import typical

COUNT = 300
#: Between two makings; TTLs, scores and first revisions are times.
APART_MS = 60_000


async def test_a_copied_conversation_is_what_its_commit_would_have_left(redis: Redis) -> None:
    """Same keys, fields, encodings and expiry: what is measured beside copies holds beside real ones."""
    await typical.make(redis, COUNT)
    made = await _held(redis)
    await redis.flushall()
    await typical.copy(redis, COUNT)
    copied = await _held(redis)

    assert len(made) > COUNT
    assert copied.keys() == made.keys()
    for name, (plain, times) in made.items():
        copied_plain, copied_times = copied[name]
        assert copied_plain == plain, name
        assert copied_times.keys() == times.keys(), name
        for what, milliseconds in times.items():
            assert abs(copied_times[what] - milliseconds) < APART_MS, (name, what)


async def _held(redis: Redis) -> dict[bytes, tuple[Any, dict[Any, float]]]:
    """Return what each key holds, and apart from it the times among that."""
    held: dict[bytes, tuple[Any, dict[Any, float]]] = {}
    async for name in redis.scan_iter():
        encoding = await redis.object("encoding", name)
        times: dict[Any, float] = {"ttl": float(await redis.pttl(name))}
        if await redis.type(name) == b"hash":
            holds: Any = await redis.hgetall(name)
            times["first revision"] = int(holds.pop(b"r")) / 1000
        else:
            scores: list[Any] = list(await redis.zrange(name, 0, -1, withscores=True))
            holds = [member for member, _ in scores]
            times |= dict(scores)
        held[name] = ((encoding, holds), times)
    return held
