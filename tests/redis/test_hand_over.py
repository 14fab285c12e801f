"""An event that was accepted in its worker's own process is not read again, and still keeps its place."""

import asyncio
from collections import Counter
from contextvars import Context
from datetime import timedelta

import orjson
import pytest
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from redis.asyncio import Redis

from gateway import Feature
from gateway.demo.bot_api import BotApi
from gateway.partition import PartitionLog
from gateway.settings import Settings, WorkerSettings
from gateway.settings.retries import ChatRetries, RetriesSettings
from routers.dependencies import Inbox
from routers.event import OtherEvent
from state.conversation import Conversation
from state.envelope import Envelope
from state.inbox import Inbox as StoredInbox
from state.inbox_entry import InboxEntry, Opening
from state.lease import Lease
from state.storage import ConversationStorage
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until


def _event(number: int, conversation: Conversation) -> Envelope:
    event = OtherEvent(
        type="shop.step", provider="shop", object_id=str(number), occurred_at="2026-01-01T00:00Z"
    )
    return Envelope("shop", "shop.step", str(number), 0, b"{}", event.encode(), conversation)


async def _inbox_of(run: Run, feature: Feature) -> Inbox:
    """Return the inbox of a process whose worker holds all partitions."""
    runtime = await run(feature)
    worker = runtime.worker
    assert worker is not None
    await wait_until(lambda: len(worker.held) == 64, description="all partitions are held", seconds=30)
    return runtime.edge.inbox


def _entry(entry_id: str) -> InboxEntry:
    conversation = Conversation.private(42, 7)
    return InboxEntry(entry_id, 3, _event(0, conversation), conversation, None)


def test_only_what_follows_on_what_was_read_may_be_handed_over() -> None:
    """Ids are compared as a time and a number; an empty inbox has nothing in between."""
    held = PartitionLog(Lease(3, "worker/1"))
    empty_before = held.has_read("")
    unread_before = held.has_read("5-0")
    held.add([_entry("10-2")])

    assert (empty_before, unread_before) == (True, False)
    assert [held.has_read(each) for each in ("9-7", "10-1", "10-2")] == [True, True, True]
    assert [held.has_read(each) for each in ("10-3", "10-10", "11-0")] == [False, False, False]


def test_what_was_counted_is_known_when_it_is_read() -> None:
    """An entry that others stand before is read after them; its first run is not counted a second time."""
    held = PartitionLog(Lease(3, "worker/1"))
    held.expect(_entry("10-2")._replace(opening=Opening("", None)))
    held.add([_entry("10-1"), _entry("10-2")])
    first = held.next_of(_entry("").conversation, 0)
    assert first is not None
    held.end(first)
    second = held.next_of(first.conversation, 0)

    assert second is not None
    assert (first.opening, second.opening) == (None, Opening("worker/1", None))


def test_what_is_known_stays_as_it_is_when_all_is_read_anew() -> None:
    """An acceptance has begun its first run, and what is read says nothing of that."""
    held = PartitionLog(Lease(3, "worker/1"))
    held.add([_entry("10-1")._replace(opening=Opening("worker/1", None))])
    held.read_anew(1)
    unread = not held.has_read("10-1")
    held.add([_entry("10-1"), _entry("10-2")])
    first = held.next_of(_entry("").conversation, 0)

    assert (unread, held.owed, held.has_read("10-2")) == (True, 2, True)
    assert first is not None
    assert first.opening is not None


async def test_events_accepted_here_and_elsewhere_keep_their_order(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """What another process accepts in between is not overtaken by what is handed over."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.step")
    async def step(event: OtherEvent) -> None:
        runs.append(int(event.object_id))

    inbox = await _inbox_of(run, feature)
    for number in range(40):
        here = number % 3 != 1
        await (inbox if here else outside.inbox).accept(
            _event(number, conversation), remember_for=timedelta(hours=1)
        )
    await wait_until(lambda: len(runs) >= 40, description="all have run")
    await outside.settled()

    assert runs == list(range(40))


@pytest.fixture
def attempts() -> int:
    """How often an update runs at most."""
    return 2


@pytest.fixture
def settings(settings: Settings, attempts: int) -> Settings:
    """A lease that outlasts the test, and runs in quick succession."""
    chat = ChatRetries(attempts=attempts, first_seconds=0.01, longest_seconds=0.01)
    return settings.model_copy(
        update={"retries": RetriesSettings(chat=chat), "worker": WorkerSettings(lease_seconds=60)}
    )


def _update(number: int, conversation: Conversation, api: BotApi) -> Envelope:
    body = orjson.dumps({**api.updates.message(501, str(number)), "update_id": number})
    source = f"telegram:{conversation.bot_id}"
    return Envelope(source, "telegram.message", str(number), 0, body, conversation=conversation)


async def test_the_run_that_an_acceptance_has_begun_is_counted_once(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """For the first of a conversation, which runs at once, and for the second, which waits for it."""
    feature, runs = Feature("shop"), Counter[str]()

    @feature.chat.message()
    async def broken(message: Message) -> None:
        runs[message.text or ""] += 1
        raise RuntimeError

    inbox = await _inbox_of(run, feature)
    calls = (_update(number, conversation, api) for number in (1, 2))
    await asyncio.gather(*(inbox.accept(call, remember_for=timedelta(hours=1)) for call in calls))
    await outside.settled()

    assert runs == {"1": 2, "2": 2}


async def test_a_change_between_an_acceptance_and_its_run_is_seen(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, redis: Redis
) -> None:
    """What the acceptance has read is old by then: the commit finds it out, and the handler runs again."""
    feature, seen, storage = Feature("shop"), [], ConversationStorage(redis, scripts=outside.scripts)
    key = conversation.storage_key()

    @feature.chat.message()
    async def count(message: Message, state: FSMContext) -> None:
        seen.append(await state.get_value("count", 0))
        if len(seen) == 1:
            await asyncio.create_task(storage.update_data(key, {"count": 5}), context=Context())
        await state.update_data(count=seen[-1] + 1)

    inbox = await _inbox_of(run, feature)
    await inbox.accept(_update(1, conversation, api), remember_for=timedelta(hours=1))
    await outside.settled()

    assert (seen, await storage.get_value(key, "count")) == ([0, 5], 6)


async def test_an_event_accepted_before_its_partition_is_known_to_be_ours_loses_no_attempt(
    outside: Outside, conversation: Conversation, redis: Redis
) -> None:
    """The lease is taken in Redis and its answer on the way: nobody here could begin a counted run."""
    partition = outside.keys.partition_of(conversation)
    lease = await outside.scripts.claim(partition, outside.scripts.worker, 60_000)
    assert lease is not None
    inbox, known, handed = StoredInbox(outside.scripts), [""], list[InboxEntry]()
    inbox.work_here(lambda *_: known[-1], lambda entry, _: handed.append(entry), lambda _: None)

    for key, lease_known in (("before", ""), ("after", lease)):
        known.append(lease_known)
        envelope = Envelope("telegram:42", "telegram.message", key, 0, b"{}", conversation=conversation)
        await inbox.accept(envelope, remember_for=timedelta(hours=1))

    assert [entry.opening is not None for entry in handed] == [False, True]
    assert await redis.hvals(outside.keys.attempts(partition)) == [b"1"]


@pytest.mark.parametrize("attempts", [1])
async def test_an_event_that_may_run_once_does_so_though_the_answer_to_its_acceptance_was_lost(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Its worker finds it in the inbox later, and a run that was counted there and never begun was no run."""
    feature, runs = Feature("shop"), list[str]()

    @feature.chat.message()
    async def said(message: Message) -> None:
        runs.append(message.text or "")

    runtime = await run(feature)
    worker, inbox = runtime.worker, runtime.edge.inbox
    assert worker is not None
    assert isinstance(inbox, StoredInbox)
    await wait_until(lambda: len(worker.held) == 64, description="all partitions are held", seconds=30)
    inbox.work_here(worker.would_begin, lambda *_: None, worker.notice_urgent)
    await inbox.accept(_update(1, conversation, api), remember_for=timedelta(hours=1))
    await outside.settled()

    assert runs == ["1"]


async def test_an_event_that_must_wait_is_not_counted_before_it_runs(
    run: Run, api: BotApi, conversation: Conversation, outside: Outside, redis: Redis
) -> None:
    """Its process may die before its turn: a run that was never begun is none of its attempts."""
    feature, proceed, runs = Feature("shop"), asyncio.Event(), []

    @feature.chat.message()
    async def said(message: Message) -> None:
        runs.append(message.text)
        await proceed.wait()

    inbox = await _inbox_of(run, feature)
    for number in (1, 2):
        await inbox.accept(_update(number, conversation, api), remember_for=timedelta(hours=1))
    await wait_until(lambda: runs == ["1"], description="the first runs")
    counted = await redis.hvals(outside.keys.attempts(outside.keys.partition_of(conversation)))
    proceed.set()
    await wait_until(lambda: runs == ["1", "2"], description="the second runs")

    assert counted == [b"1"]
