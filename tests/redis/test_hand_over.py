"""An event that was accepted in its worker's own process is not read again, and still keeps its place."""

from datetime import timedelta

from gateway import Feature
from gateway.partition import PartitionLog
from routers.event import OtherEvent
from state.conversation import Conversation
from state.envelope import Envelope
from state.inbox import InboxEntry
from state.lease import Lease
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until


def _event(number: int, conversation: Conversation) -> Envelope:
    event = OtherEvent(
        type="shop.step", provider="shop", object_id=str(number), occurred_at="2026-01-01T00:00Z"
    )
    return Envelope("shop", "shop.step", str(number), 0, b"{}", event.encode(), conversation)


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


async def test_events_accepted_here_and_elsewhere_keep_their_order(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """What another process accepts in between is not overtaken by what is handed over."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.step")
    async def step(event: OtherEvent) -> None:
        runs.append(int(event.object_id))

    inbox = (await run(feature)).edge.inbox
    for number in range(40):
        here = number % 3 != 1
        await (inbox if here else outside.inbox).accept(
            _event(number, conversation), remember_for=timedelta(hours=1)
        )
    await wait_until(lambda: len(runs) >= 40, description="all have run")
    await outside.settled()

    assert runs == list(range(40))
