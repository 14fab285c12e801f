"""How much of Redis's memory one typical conversation takes, with all that is kept beside it."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from gateway.embedded import EmbeddedRedis
from state.changes import Change, DraftChange, flat
from state.connection import connect
from state.conversation import Conversation
from state.grouping import GroupedCalls
from state.keys import Keys
from state.screen import BlockName, ShownBlock
from state.scripts import Scripts
from state.values import dump

#: Three features of five fields, as a booking bot has them.
DRAFTS = {
    "booking": {"hotel_id": 4217, "room": "double", "nights": 3, "arrives": "2026-12-01", "paid": False},
    "profile": {"name": "Ada Lovelace", "locale": "en", "phone": "+431234567", "age": 36, "email": None},
    "cart": {"items": [17, 4, 42], "count": 3, "total": 12900, "currency": "EUR", "coupon": None},
}
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Taken:
    """Bytes for each conversation."""

    conversations: int
    hash_bytes: float
    """Of its hash alone, as MEMORY USAGE has it."""
    all_bytes: float
    """Of all that the server holds more than before: hash, key, expiry, its place in the states' index."""


async def fill(redis: Redis, conversations: int) -> Taken:
    """Make that many typical conversations in an empty Redis, through the storage's own scripts."""
    keys = Keys()
    scripts = Scripts(GroupedCalls(redis), keys)
    # The scripts' own place in memory is no conversation's.
    await _make(scripts, Conversation.private(123456789, 1))
    before = await _used(redis)
    for first in range(0, conversations, AT_ONCE):
        users = range(first, min(first + AT_ONCE, conversations))
        await asyncio.gather(
            *(_make(scripts, Conversation.private(123456789, 10**9 + user)) for user in users)
        )
    sample = [Conversation.private(123456789, 10**9 + user) for user in range(0, conversations, 97)]
    usages = [int(await redis.memory_usage(keys.conversation(each)) or 0) for each in sample]
    return Taken(
        conversations,
        sum(usages) / len(usages),
        (await _used(redis) - before) / conversations,
    )


async def _make(scripts: Scripts, conversation: Conversation) -> None:
    drafts = {
        feature: DraftChange(set={name: dump(value) for name, value in draft.items()})
        for feature, draft in DRAFTS.items()
    }
    ttl_ms = 90 * 86_400_000
    await scripts.commit(
        Change(conversation=conversation, ttl_ms=ttl_ms, state="Booking:awaiting_payment", drafts=drafts)
    )
    shown = {
        block.field: ShownBlock(conversation.chat_id, 4_200 + number, 1_800_000_000_000).pack()
        for number, block in enumerate(BlockName)
    }
    # As record.lua writes them when Telegram has answered.
    await scripts.calls.command("HSET", scripts.keys.conversation(conversation), *flat(shown))


async def _used(redis: Redis) -> int:
    return int((await redis.info("memory"))["used_memory"])


async def measure(conversations: int, binary: Path | None = None) -> Taken:
    """Measure on a Redis of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedRedis(Path(folder), binary=binary, supervised=False) as server:
            redis = await connect(server.url)
            try:
                return await fill(redis, conversations)
            finally:
                await redis.aclose()
