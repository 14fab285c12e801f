"""Moving in: what aiogram's own storage wrote is here afterwards, whole, and nothing newer is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from aiogram.fsm.storage.base import DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisStorage
from redis.asyncio import Redis

from gateway.moving import Tally
from state import ConversationStorage
from state.aiogram_keys import AiogramKeys
from state.changes import Tracked
from state.connection import open_client
from state.conversation import Conversation
from state.foreign import ForeignStore, Unreadable
from state.grouping import GroupedCalls
from state.keys import Keys
from state.moving import MovingStore, Taken
from state.portable import Portable
from state.screen import BlockName, ShownBlock
from state.scripts import Change, Scripts

BOT = 42
DATA = {
    "locale": "de",
    "big": 2**53 + 1,
    "huge": 2**80,
    "empty": [],
    "nothing": None,
    "nested": {"a": [{"b": {}}, -1.5]},
    "text": "текст \U0001f600",
    "draft:booking": {"hotel_id": 7, "guests": []},
    "draft:profile": {},
}
CONVERSATIONS = [
    Conversation.private(BOT, 501),
    Conversation(BOT, -1001234567890, 501, thread_id=7),
    Conversation(BOT, -1001234567890, -1001234567890),
    Conversation(BOT, 501, 501, business_connection_id="JTLBWWLPUUkWBgAAj5mSYk4R2PM"),
    Conversation(BOT, 501, 501, destiny="wizard"),
]


@pytest.fixture
async def source(redis: Redis, redis_url: str) -> AsyncIterator[Redis]:
    """Another database of the same server, where the other library's bot has been."""
    client = open_client(redis_url.replace("db=0", "db=1"))
    yield client
    await client.aclose()


@pytest.fixture
def scripts(redis: Redis) -> Scripts:
    """The doors to our store."""
    return Scripts(GroupedCalls(redis), Keys())


@pytest.fixture
def store(scripts: Scripts) -> MovingStore:
    """Our store, as conversations move in and out of it."""
    return MovingStore(scripts, expires_after=timedelta(days=90))


async def moved(
    source: Redis, store: MovingStore, builder: DefaultKeyBuilder | None = None, *, dry_run: bool = False
) -> tuple[Counter[Taken], list[Unreadable]]:
    """Take in everything at *source*."""
    tally = Tally("imported")
    async for step in ForeignStore(source, AiogramKeys(builder or DefaultKeyBuilder(), [BOT])).steps():
        await tally.take(store, step.found, dry_run=dry_run)
    return tally.taken, tally.unreadable


@pytest.mark.parametrize("bot, business, destiny", list(product((False, True), repeat=3)))
@pytest.mark.parametrize("separator", [":", "-"])
async def test_what_aiograms_storage_wrote_is_read_with_every_option_of_its_keys(
    redis: Redis, source: Redis, store: MovingStore, bot: bool, business: bool, destiny: bool, separator: str
) -> None:
    """States and data, groups, threads, business chats and scenes."""
    builder = DefaultKeyBuilder(
        prefix="my*",
        separator=separator,
        with_bot_id=bot,
        with_business_connection_id=business,
        with_destiny=destiny,
    )
    theirs, ours = RedisStorage(source, builder), ConversationStorage(redis)
    written = [
        each
        for each in CONVERSATIONS
        if (business or each.business_connection_id is None) and (destiny or each.destiny == "default")
    ]
    for number, conversation in enumerate(written):
        await theirs.set_state(conversation.storage_key(), f"Shop:{number}")
        await theirs.set_data(conversation.storage_key(), DATA | {"number": number})

    assert await moved(source, store, builder) == ({Taken.IMPORTED: len(written)}, [])

    for number, conversation in enumerate(written):
        assert await ours.get_state(conversation.storage_key()) == f"Shop:{number}"
        assert await ours.get_data(conversation.storage_key()) == DATA | {"number": number}
        assert await ours.drafts.read_field(conversation, "booking", "hotel_id", None) == 7


async def test_half_a_conversation_is_one_too(redis: Redis, source: Redis, store: MovingStore) -> None:
    """aiogram keeps state and data apart, and most conversations have one of them only."""
    theirs, ours = RedisStorage(source), ConversationStorage(redis)
    state_only, data_only = (Conversation.private(BOT, user).storage_key() for user in (1, 2))
    await theirs.set_state(state_only, "Shop:paying")
    await theirs.set_data(data_only, {"locale": "de"})

    assert await moved(source, store) == ({Taken.IMPORTED: 2}, [])
    assert (await ours.get_state(state_only), await ours.get_data(state_only)) == ("Shop:paying", {})
    assert (await ours.get_state(data_only), await ours.get_data(data_only)) == (None, {"locale": "de"})


async def test_newer_state_is_never_overwritten(
    redis: Redis, source: Redis, store: MovingStore, scripts: Scripts
) -> None:
    """Not that of a conversation in use, and not that of one which has ended since."""
    theirs, ours = RedisStorage(source), ConversationStorage(redis)
    in_use, ended, new = (Conversation.private(BOT, user).storage_key() for user in (1, 2, 3))
    for key in (in_use, ended, new):
        await theirs.set_state(key, "Shop:old")
    await ours.update_data(in_use, {"paid": True})
    history = scripts.keys.history(Conversation.from_storage_key(ended))
    await redis.lpush(history, b"a change")
    await redis.expire(history, 60)

    assert await moved(source, store) == ({Taken.IMPORTED: 1, Taken.KEPT: 2}, [])
    assert await ours.get_state(in_use) is None
    assert await ours.get_data(in_use) == {"paid": True}
    assert await ours.get_state(ended) is None
    assert await ours.get_state(new) == "Shop:old"


async def test_a_conversation_that_begins_during_the_import_is_kept(redis: Redis, store: MovingStore) -> None:
    """Between our look and our write the user has come back: the write itself decides."""
    conversation = Conversation.private(BOT, 501)

    taken = await asyncio.gather(*(store.take(Portable(conversation, state)) for state in ("A", "B")))

    assert sorted(taken, key=str) == [Taken.IMPORTED, Taken.KEPT]


async def test_an_import_that_was_interrupted_is_run_again(
    redis: Redis, source: Redis, store: MovingStore
) -> None:
    """What it had taken in is known again, also once more after that."""
    theirs = RedisStorage(source)
    keys = [Conversation.private(BOT, user).storage_key() for user in range(1001, 1701)]
    await asyncio.gather(*(theirs.set_data(key, {"n": key.user_id}) for key in keys))
    async for step in ForeignStore(source, AiogramKeys(DefaultKeyBuilder(), [BOT])).steps():
        for found in step.found:
            assert isinstance(found, Portable)
            await store.take(found)
        if step.found:
            break
    before = len(await redis.keys("*:c:*"))

    assert 0 < before < len(keys)
    taken, _ = await moved(source, store)
    assert (taken[Taken.IMPORTED], taken[Taken.UNCHANGED]) == (len(keys) - before, before)
    assert (await moved(source, store))[0] == {Taken.UNCHANGED: len(keys)}
    assert len(await redis.keys("*:c:*")) == len(keys)


async def test_a_dry_run_counts_the_same_and_writes_nothing(
    redis: Redis, source: Redis, store: MovingStore
) -> None:
    """So that a move can be looked at before it is made."""
    theirs, ours = RedisStorage(source), ConversationStorage(redis)
    for user in (1, 2):
        await theirs.set_state(Conversation.private(BOT, user).storage_key(), "Shop:old")
    await ours.set_state(Conversation.private(BOT, 1).storage_key(), "Shop:new")
    before = await redis.dbsize()

    counted = await moved(source, store, dry_run=True)

    assert await redis.dbsize() == before
    assert counted == await moved(source, store) == ({Taken.IMPORTED: 1, Taken.KEPT: 1}, [])


async def test_what_cannot_be_read_is_named_and_the_rest_is_taken_in(
    redis: Redis, source: Redis, store: MovingStore
) -> None:
    """One broken value must not keep a thousand users behind."""
    await RedisStorage(source).set_state(Conversation.private(BOT, 1).storage_key(), "Shop:old")
    await source.set("fsm:2:2:data", b"{broken")
    await source.set("fsm:3:3:data", b"[]")
    await source.set("fsm:4:4:state", b"\xff")
    await source.hset("fsm:5:5:state", "a", "b")
    await source.set("fsm:somebody:else:state", b"x")
    await source.set(b"fsm:\xff:6:data", b"{}")
    await source.set("fsm:1:1:lock", b"x")

    taken, unreadable = await moved(source, store)

    assert taken == {Taken.IMPORTED: 1}
    assert {each.name: each.why for each in unreadable} == {
        "fsm:2:2:data": "is not JSON",
        "fsm:3:3:data": "is not a JSON object",
        "fsm:4:4:state": "is not UTF-8",
        "fsm:5:5:state": "is of another type",
        "fsm:somebody:else:state": "is no key that these options make",
        "fsm:\\xff:6:data": "is no key that these options make",
    }


async def test_a_conversation_expires_here_when_it_would_have_there(
    redis: Redis, source: Redis, store: MovingStore, scripts: Scripts
) -> None:
    """By the longer-lived of its two keys; without one, after our own time."""
    theirs = RedisStorage(source, state_ttl=60, data_ttl=600)
    soon, never = (Conversation.private(BOT, user) for user in (1, 2))
    await theirs.set_state(soon.storage_key(), "Shop:old")
    await theirs.set_data(soon.storage_key(), {"a": 1})
    await RedisStorage(source).set_state(never.storage_key(), "Shop:old")

    await moved(source, store)

    assert 590 <= await redis.ttl(scripts.keys.conversation(soon)) <= 600
    assert await redis.ttl(scripts.keys.conversation(never)) > 80 * 24 * 3600


async def test_codex_bots_screens_come_along(redis: Redis, source: Redis, store: MovingStore) -> None:
    """So that the first view edits the menu that is in the chat, instead of sending a second one."""
    private, group = Conversation.private(BOT, 501), Conversation(BOT, -100, -100, thread_id=7)
    await RedisStorage(source).set_state(private.storage_key(), "Shop:menu")
    await source.hset("sender:user:501", mapping={"menu_msg_id": 10, "content_msg_id": 11})
    await source.hset("sender:user:502", mapping={"menu_msg_id": 12})
    await source.hset("sender:channel:-100:7", mapping={"content_msg_id": 13})
    await source.hset("sender:channel:@feed", mapping={"menu_msg_id": 14})

    taken, unreadable = await moved(source, store)
    screens = {
        portable.conversation: {name: block.message_id for name, block in portable.screen.items()}
        async for _, found in store.steps()
        for portable in found
    }

    assert (taken, [each.name for each in unreadable]) == ({Taken.IMPORTED: 3}, ["sender:channel:@feed"])
    assert screens == {
        private: {"menu": 10, "content": 11},
        Conversation.private(BOT, 502): {"menu": 12},
        group: {"content": 13},
    }
    assert await ConversationStorage(redis).get_state(private.storage_key()) == "Shop:menu"
    assert (await moved(source, store))[0] == {Taken.UNCHANGED: 3}


async def test_what_moves_out_moves_in_again_without_loss(
    redis: Redis, redis_url: str, store: MovingStore, scripts: Scripts
) -> None:
    """Everything that a conversation holds, into an empty store."""
    conversation = Conversation(BOT, -100, 7, 3, "b:c", "x y")
    menu = ShownBlock(-100, 7, 1000, "photo:x", 3)
    await scripts.commit(
        Change(
            conversation=conversation,
            ttl_ms=60_000,
            state="Shop:paying",
            set={
                BlockName.MENU.field: menu.pack(),
                "h": b'[["shop",null]]',
            },
            garbage=[Tracked("-100:9", "Shop:paying", 1000, "content"), Tracked("-100:8", None, 5)],
        )
    )
    await ConversationStorage(redis).update_data(conversation.storage_key(), DATA)
    await ConversationStorage(redis).update_data(CONVERSATIONS[0].storage_key(), {"half": "\ud83d"})
    await ConversationStorage(redis).drafts.set(conversation, "booking", {"hotel_id": 7}, timedelta(hours=1))
    lines = [portable.line() async for _, found in store.steps() for portable in found]
    await redis.flushdb()

    assert [await store.take(Portable.read(line)) for line in lines] == [Taken.IMPORTED] * 2

    again = [portable.line() async for _, found in store.steps() for portable in found]
    assert sum("'drafts_expire_in_ms': {'booking': 1}" in without_expiry(line) for line in again) == 1
    assert sorted(map(without_expiry, again)) == sorted(map(without_expiry, lines))
    assert await ConversationStorage(redis).get_data(conversation.storage_key()) == DATA


def without_expiry(line: bytes) -> str:
    """What *line* says, but for when it expires; when a draft does, in hours."""
    portable = Portable.read(line)
    hours = {feature: round(ms / 3_600_000) for feature, ms in portable.drafts_expire_in_ms.items()}
    return str(replace(portable, expires_in_ms=None, drafts_expire_in_ms=hours).members())
