"""Typical conversations: made through the storage's own scripts, or in great numbers as copies of such."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from state.changes import Change, DraftChange, flat
from state.conversation import Conversation
from state.grouping import GroupedCalls, Script
from state.keys import Keys
from state.packing import pack_for_lua
from state.screen import BlockName, ShownBlock
from state.scripts import Scripts
from state.values import dump

BOT_ID: Final = 123456789
STATE: Final = "Booking:awaiting_payment"
#: Three features of five fields, as a booking bot has them.
DRAFTS: Final = {
    "booking": {"hotel_id": 4217, "room": "double", "nights": 3, "arrives": "2026-12-01", "paid": False},
    "profile": {"name": "Ada Lovelace", "locale": "en", "phone": "+431234567", "age": 36, "email": None},
    "cart": {"items": [17, 4, 42], "count": 3, "total": 12900, "currency": "EUR", "coupon": None},
}
TTL_MS: Final = 90 * 86_400_000
MADE_AT_ONCE: Final = 500
COPIED_AT_ONCE: Final = 2_000
_SHARED: Final = "\n".join(Script.load(name).source for name in ("clock", "states"))
_COPIES: Final = _SHARED + "\n" + Path(__file__).with_name("copies.lua").read_text("utf-8")


def conversations(count: int) -> Iterator[Conversation]:
    """Return the first *count*."""
    return (Conversation.private(BOT_ID, 10**9 + user) for user in range(count))


async def make(redis: Redis, count: int) -> None:
    """Make *count* conversations, each as a gateway does."""
    scripts = Scripts(GroupedCalls(redis), Keys())
    try:
        waiting = conversations(count)
        while some := list(islice(waiting, MADE_AT_ONCE)):
            await asyncio.gather(*(_make(scripts, each) for each in some))
    finally:
        await scripts.calls.aclose()


async def copy(redis: Redis, count: int) -> None:
    """
    Make *count* conversations as `make` does, but in each partition only one through the storage's scripts.

    The others are copies within Redis, which takes a third of the time.
    """
    scripts = Scripts(GroupedCalls(redis), Keys())
    copies = redis.register_script(_COPIES)
    members = pack_for_lua({"bot": str(BOT_ID), "state": STATE, "ttl_ms": TTL_MS})
    of_partition: defaultdict[int, list[Conversation]] = defaultdict(list)
    for conversation in conversations(count):
        of_partition[scripts.keys.partition_of(conversation)].append(conversation)
    try:
        for partition, (first, *others) in of_partition.items():
            await _make(scripts, first)
            names = [scripts.keys.conversation(first)]
            names += [scripts.keys.states(partition), scripts.keys.states_until(partition)]
            for start in range(0, len(others), COPIED_AT_ONCE):
                some = others[start : start + COPIED_AT_ONCE]
                await copies(
                    [*names, *map(scripts.keys.conversation, some)],
                    [members, *(pack_for_lua((each.encode(), _screen(each))) for each in some)],
                )
    finally:
        await scripts.calls.aclose()


async def _make(scripts: Scripts, conversation: Conversation) -> None:
    drafts = {
        feature: DraftChange(set={name: dump(value) for name, value in draft.items()})
        for feature, draft in DRAFTS.items()
    }
    await scripts.commit(Change(conversation=conversation, ttl_ms=TTL_MS, state=STATE, drafts=drafts))
    # As record.lua writes them when Telegram has answered.
    name = scripts.keys.conversation(conversation)
    await scripts.calls.command("HSET", name, *_screen(conversation))


def _screen(conversation: Conversation) -> Sequence[str | bytes]:
    return flat(
        {
            block.field: ShownBlock(conversation.chat_id, 4_200 + number, 1_800_000_000_000).pack()
            for number, block in enumerate(BlockName)
        }
    )
