"""What a conversation held under a group's id is whole under its supergroup's, whoever died on the way."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from state.changes import Cause, Change, DraftChange, Tracked
from state.conversation import Conversation
from state.directory import Directory
from state.migrations import Migrations
from state.outcomes import Fired
from state.packing import unpack_from_lua
from state.screen import BlockName, ShownBlock
from state.timers import DueTimer, Timer, Timers
from tests.redis.conftest import Outside

GROUP, SUPERGROUP = -5, -1001234
OLD, NEW = Conversation(42, GROUP, 501), Conversation(42, SUPERGROUP, 501)
HOUR_MS = 3_600_000
REMINDER = Timer("reminder", "shop.expired", 2_000_000_000_000, {"room": 7}, cancel_on_leave=True)


@pytest.fixture
def migrations(outside: Outside) -> Migrations:
    """Who moves conversations."""
    return Migrations(outside.scripts, remember_for=timedelta(days=1))


def _change(conversation: Conversation, **members: Any) -> Change:
    """Everything that a conversation can hold, of more fields than one call of Redis takes."""
    many = {f"d:{number}": str(number).encode() for number in range(9000)}
    everything: dict[str, Any] = {
        "state": "Shop:paying",
        "set": {**many, BlockName.MENU.field: ShownBlock(SUPERGROUP, 3, 1).pack()},
        "drafts": {"shop": DraftChange(set={"room": b"9007199254740993", "none": b"[]"}, ttl_ms=HOUR_MS)},
        "garbage": [Tracked(f"{GROUP}:9", "Shop:paying", 1, "content")],
        "timers": [REMINDER.setting()],
        "cause": Cause("service", "shop.begun"),
    }
    return Change(conversation=conversation, ttl_ms=HOUR_MS, **(everything | members))


def _bytes(stored: bytes | str) -> bytes:
    return stored.encode() if isinstance(stored, str) else stored


async def _held(outside: Outside, redis: Redis, conversation: Conversation) -> dict[str, Any]:
    keys, directory = outside.keys, Directory(outside.calls, outside.keys)
    partition = keys.partition_of(conversation)
    return {
        "fields": await redis.hgetall(keys.conversation(conversation)),
        "garbage": {
            place: unpack_from_lua(_bytes(message))[:2]
            for place, message in (await redis.hgetall(keys.garbage(conversation))).items()
        },
        "history": await redis.lrange(keys.history(conversation), 0, -1),
        "timers": await redis.hgetall(keys.timers_of(conversation)),
        "due": await Timers(outside.scripts).pending(conversation),
        "timers of the partition": await redis.zcard(keys.timers(partition)),
        "listed": (await directory.page(conversation.bot_id, "Shop:paying", limit=10)).conversations
        == [conversation],
    }


@pytest.mark.parametrize("died_after", ["nothing", "packing", "unpacking"])
async def test_it_goes_whole_though_whoever_moved_it_died(
    outside: Outside, redis: Redis, migrations: Migrations, died_after: str
) -> None:
    """State, every field, the drafts' deadlines, garbage, history, timers, revision, expiry."""
    await outside.scripts.commit(_change(OLD))
    before = await _held(outside, redis, OLD)
    await redis.set(outside.keys.was(NEW), GROUP, ex=60)
    if died_after != "nothing":
        parcel = await migrations._pack_up(OLD)
        if died_after == "unpacking":
            await migrations._unpack(parcel, NEW)

    await migrations.note(42, GROUP, SUPERGROUP)
    homes = [await migrations.home(OLD), await migrations.home(NEW)]

    assert {home.conversation for home in homes} == {NEW}
    assert await _held(outside, redis, NEW) == before | {"due": {"reminder": REMINDER.due_at_ms}}
    assert len(before["fields"]) > 9000
    assert 0 < await redis.pttl(outside.keys.conversation(NEW)) <= HOUR_MS
    left = [name async for name in redis.scan_iter(match=f"*:{OLD.encode()}*")]
    assert left == []


async def test_what_was_used_under_the_new_id_stays(
    outside: Outside, redis: Redis, migrations: Migrations
) -> None:
    """It is newer. The screen, messages to remove and timers are taken over all the same."""
    await outside.scripts.commit(_change(OLD))
    newer = _change(NEW, state="Shop:paid", set={"d:locale": b'"en"'}, garbage=[], timers=[], drafts={})
    await outside.scripts.commit(newer)
    unbound = Timer("report", "shop.report", 2_000_000_000_000)
    await outside.scripts.commit(Change(conversation=OLD, ttl_ms=HOUR_MS, timers=[unbound.setting()]))

    await migrations.note(42, GROUP, SUPERGROUP)

    held = await _held(outside, redis, NEW)
    fields = {name: value for name, value in held["fields"].items() if name != b"r"}
    assert fields == {
        b"s": b"Shop:paid",
        b"d:locale": b'"en"',
        b"v:menu": ShownBlock(SUPERGROUP, 3, 1).pack(),
    }
    assert list(held["garbage"]) == [f"{GROUP}:9".encode()]
    # The other one belonged to a state that this conversation is not in.
    assert list(held["due"]) == ["report"]


async def test_what_was_shown_in_the_group_is_not_edited_from_the_supergroup(
    outside: Outside, redis: Redis, migrations: Migrations
) -> None:
    """Its messages have other ids there; the next view is a new message, and the old one is garbage."""
    shown = {BlockName.CONTENT.field: ShownBlock(GROUP, 9, 1).pack()}
    await outside.scripts.commit(_change(OLD, set=shown))

    await migrations.note(42, GROUP, SUPERGROUP)

    assert not await redis.hexists(outside.keys.conversation(NEW), BlockName.CONTENT.field)
    garbage = await redis.hgetall(outside.keys.garbage(NEW))
    assert unpack_from_lua(_bytes(garbage[f"{GROUP}:9".encode()])) == [b"Shop:paying", 1, False]


async def test_every_process_may_move_it_at_once(
    outside: Outside, redis: Redis, migrations: Migrations
) -> None:
    """Ten ask for it together, under both ids: it is there once, and nothing of it twice."""
    await outside.scripts.commit(_change(OLD))
    before = await _held(outside, redis, OLD)
    await redis.set(outside.keys.was(NEW), GROUP, ex=60)
    await redis.set(outside.keys.moved(OLD), SUPERGROUP, ex=60)

    await asyncio.gather(*(migrations.home(each) for each in [OLD, NEW] * 5))

    assert await _held(outside, redis, NEW) == before


async def test_a_conversation_of_the_whole_chat_and_one_without_a_state_go_too(
    outside: Outside, redis: Redis, migrations: Migrations
) -> None:
    """The first is the chat's under both ids; the second, listed nowhere, when asked for."""
    of_chat, stateless = Conversation(42, GROUP, GROUP), Conversation(42, GROUP, 502)
    await outside.scripts.commit(_change(of_chat))
    await outside.scripts.commit(_change(stateless, state=None))
    others = Conversation(42, -55, 501)
    await outside.scripts.commit(_change(others))

    await migrations.note(42, GROUP, SUPERGROUP)
    await migrations.home(Conversation(42, SUPERGROUP, 502))

    for user_id in (SUPERGROUP, 502):
        assert await redis.exists(outside.keys.conversation(Conversation(42, SUPERGROUP, user_id)))
    assert await redis.exists(outside.keys.conversation(others))


async def test_a_timer_that_fired_before_its_parcel_was_forgotten_fires_once(
    outside: Outside, redis: Redis, migrations: Migrations
) -> None:
    """Whoever unpacked it died: who asks next, for the timer's own event say, sets it no second time."""
    due = Timer("reminder", "shop.expired", 1000)
    await outside.scripts.commit(_change(OLD, timers=[due.setting()]))
    await redis.set(outside.keys.was(NEW), GROUP, ex=60)
    await migrations._unpack(await migrations._pack_up(OLD), NEW)
    partition = outside.keys.partition_of(NEW)
    await redis.set(outside.keys.lease(partition), "worker/1", ex=60)
    timers = Timers(outside.scripts)
    assert await timers.fire("worker/1", DueTimer(NEW, "reminder"), 2000) is Fired.FIRED

    await migrations.home(NEW)

    assert await timers.pending(NEW) == {}
    assert await redis.xlen(outside.keys.inbox(partition)) == 1
    assert await redis.exists(outside.keys.parcel(OLD)) == 0
