"""Who may run next in one partition, as its worker keeps it."""

import pytest

from gateway.partition import PartitionLog
from state.conversation import Conversation
from state.envelope import Envelope
from state.inbox_entry import InboxEntry
from state.lease import Lease

USER = Conversation.private(42, 7)


@pytest.fixture
def entry() -> InboxEntry:
    """An event of the user."""
    return InboxEntry("10-0", 3, Envelope("shop", "shop.step", "1", 0, b"{}"), USER, None)


def test_what_was_due_runs_though_the_clock_is_set_back_before_its_turn(entry: InboxEntry) -> None:
    """Its alarm has rung, so nothing else would have it looked at again."""
    held = PartitionLog(Lease(3, "worker/1"))
    held.add([entry])
    held.wait(entry.id, 5_000)
    early = list(held.idle_conversations(4_999))
    in_time = list(held.idle_conversations(5_000))

    assert (early, in_time) == ([], [USER])
    assert held.next_of(USER, 2_000) is entry


def test_what_waits_once_more_waits_for_its_new_time(entry: InboxEntry) -> None:
    """An alarm of an earlier wait does not end a later one."""
    held = PartitionLog(Lease(3, "worker/1"))
    held.add([entry])
    held.wait(entry.id, 5_000)
    held.wait(entry.id, 9_000)

    assert list(held.idle_conversations(5_000)) == []
    assert list(held.idle_conversations(9_000)) == [USER]


def test_what_was_parked_runs_at_its_end_though_the_clock_is_set_back_before_its_turn(
    entry: InboxEntry,
) -> None:
    """Whoever runs it learns that its time is over, and parks it again if that is not so."""
    held = PartitionLog(Lease(3, "worker/1"))
    held.add([entry])
    held.park(entry.id, 5_000)
    early = list(held.idle_conversations(4_999))
    in_time = list(held.idle_conversations(5_000))

    assert (early, in_time) == ([], [USER])
    assert held.next_of(USER, 2_000) is entry


def test_what_is_parked_once_more_stays_so_until_its_new_time(entry: InboxEntry) -> None:
    """An alarm of an earlier time does not end a later one."""
    held = PartitionLog(Lease(3, "worker/1"))
    held.add([entry])
    held.park(entry.id, 5_000)
    held.park(entry.id, 9_000)

    assert list(held.idle_conversations(5_000)) == []
    assert held.next_of(USER, 5_000) is None
    assert list(held.idle_conversations(9_000)) == [USER]
