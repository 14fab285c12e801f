"""One partition's part of the inbox, as its worker sees it: who may run next."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from state.conversation import Conversation
from state.inbox_entry import InboxEntry, Opening
from state.lease import Lease


@dataclass(slots=True)
class PartitionLog:
    """
    The entries of one partition that are known here, kept apart by conversation.

    Within a conversation one entry runs at a time. Entries of one source keep their order; one that waits for
    its retry holds back its own source only, a parked one holds back nothing.
    """

    lease: Lease
    cursor: str = "0"
    """The newest entry that was read."""
    connections: int = 0
    """How many there had been to Redis when it was read."""
    running: set[Conversation] = field(default_factory=set)
    """Those of which an entry runs, or waits for its turn."""
    answering: set[str] = field(default_factory=set)
    """Urgent entries that run, beside the others."""
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    """No task works here."""
    _by_conversation: dict[Conversation, dict[str, InboxEntry]] = field(default_factory=dict)
    _by_id: dict[str, InboxEntry] = field(default_factory=dict)
    _due: dict[str, int] = field(default_factory=dict)
    _parked: dict[str, int] = field(default_factory=dict)
    _alarms: list[tuple[int, str]] = field(default_factory=list)
    """A heap of the times at which resting entries are looked at again."""
    _touched: set[Conversation] = field(default_factory=set)
    _at_work: set[asyncio.Task[Any]] = field(default_factory=set)
    _counted: set[str] = field(default_factory=set)
    """Entries that are still to be read, and whose first run their acceptance has counted."""

    def __post_init__(self) -> None:
        self.quiet.set()

    def lose(self) -> None:
        """Learn that another worker has the partition: end what works on it here, and let it call nobody."""
        self.lease.end()
        for task in self._at_work:
            if task is not asyncio.current_task():
                task.cancel("its partition is lost")

    def begin(self, conversation: Conversation) -> None:
        """Note that an entry of *conversation* runs, or waits for its turn."""
        self.running.add(conversation)

    def rest(self, conversation: Conversation) -> None:
        """Note that nothing of *conversation* runs any more."""
        self.running.discard(conversation)

    def begin_answer(self, entry_id: str) -> None:
        """Note that an urgent entry runs."""
        self.answering.add(entry_id)

    def end_answer(self, entry_id: str) -> None:
        """Note that an urgent entry runs no more."""
        self.answering.discard(entry_id)

    def enter(self, task: asyncio.Task[Any]) -> None:
        """Note that *task* works here; it is cancelled if the partition is lost before it leaves."""
        self._at_work.add(task)
        self.quiet.clear()

    def leave(self, task: asyncio.Task[Any]) -> None:
        """Note that *task* works here no more."""
        self._at_work.discard(task)
        if not self._at_work:
            self.quiet.set()

    @property
    def owed(self) -> int:
        """Entries in memory that do not rest; those that do must not keep others from being read."""
        return len(self._by_id) - len(self._parked) - len(self._due)

    def add(self, entries: Iterable[InboxEntry]) -> None:
        """Take in what was read after the cursor; urgent entries have a lane of their own."""
        for entry in entries:
            if entry.urgent or entry.id in self._by_id:
                self.cursor = entry.id
                continue
            if entry.id in self._counted:
                self._counted.discard(entry.id)
                counted = Opening(self.lease.value, None)
                entry = entry._replace(opening=counted)  # noqa: PLW2901 - the same entry, and more of it
            queue = self._by_conversation.setdefault(entry.conversation, {})
            if queue and entry.opening is not None:
                # Those before it will have changed what it found.
                entry.opening.snapshot = None
            queue[entry.id] = entry
            self._by_id[entry.id] = entry
            self._touched.add(entry.conversation)
            self.cursor = entry.id

    def read_anew(self, connections: int) -> None:
        """
        Learn how many *connections* to Redis there have been: after a new one, all is read again.

        It may be another Redis, which has lost what came last and whose clock is behind: what comes now can
        then have an id before the newest that was read.
        """
        if connections != self.connections:
            self.connections, self.cursor = connections, "0"

    def is_free(self, conversation: Conversation) -> bool:
        """Tell whether nothing of *conversation* runs or waits: its next event would begin at once."""
        return conversation not in self.running and conversation not in self._by_conversation

    def has_read(self, entry_id: str) -> bool:
        """Tell whether the entry with this id, and so all before it, were read; "" stands for none."""
        return entry_id in ("", self.cursor) or _order(entry_id) <= _order(self.cursor)

    def expect(self, entry: InboxEntry) -> None:
        """Note what is known of *entry*, which others stand before, until it is read."""
        if entry.opening is not None:
            self._counted.add(entry.id)

    def wait(self, entry_id: str, due_ms: int) -> None:
        """Let an entry rest until *due_ms*."""
        self._due[entry_id] = due_ms
        heappush(self._alarms, (due_ms, entry_id))

    def park(self, entry_id: str, until_ms: int) -> None:
        """Let an entry rest until its conversation's state changes, or *until_ms*."""
        self._due.pop(entry_id, None)
        self._parked[entry_id] = until_ms
        heappush(self._alarms, (until_ms, entry_id))

    def unpark(self, entry_ids: Iterable[str]) -> None:
        """Let parked entries run; when their time ends is remembered."""
        for entry_id in entry_ids:
            if entry_id in self._parked:
                self._due[entry_id] = 0
                self._touch(entry_id)

    def set_aside(self, due: dict[str, int], parked: dict[str, int]) -> None:
        """Take over what another worker has left waiting and parked."""
        for entry_id, due_ms in due.items():
            self.wait(entry_id, due_ms)
        for entry_id, until_ms in parked.items():
            self.park(entry_id, until_ms)

    def still_parked(self, parked: Iterable[str]) -> None:
        """Let those run that are no longer parked, according to the store."""
        self.unpark(self._parked.keys() - self._due.keys() - set(parked))

    @property
    def has_parked(self) -> bool:
        """Some entries wait for a change of state."""
        return bool(self._parked)

    def give_up_at(self, entry_id: str) -> int | None:
        """Return when a parked entry's time is over, in ms; None: it is not parked."""
        return self._parked.get(entry_id)

    def end(self, entry: InboxEntry) -> None:
        """Forget an entry that has ended."""
        self._due.pop(entry.id, None)
        self._parked.pop(entry.id, None)
        self._by_id.pop(entry.id, None)
        entries = self._by_conversation.get(entry.conversation, {})
        entries.pop(entry.id, None)
        if not entries:
            self._by_conversation.pop(entry.conversation, None)

    def next_of(self, conversation: Conversation, now_ms: int) -> InboxEntry | None:
        """Return the entry of *conversation* that may run now."""
        held_back: set[str] = set()
        for entry in self._by_conversation.get(conversation, {}).values():
            source = entry.envelope.source
            if entry.id in self._parked and entry.id not in self._due:
                if self._parked[entry.id] <= now_ms:
                    return entry
                continue
            if source in held_back:
                continue
            if self._due.get(entry.id, 0) <= now_ms:
                return entry
            held_back.add(source)
        return None

    def idle_conversations(self, now_ms: int) -> Iterator[Conversation]:
        """
        Yield the conversations that have something to run and are not running.

        Only those are looked at for which something has happened since the last call: a conversation that
        runs looks for its next entry itself.
        """
        while self._alarms and self._alarms[0][0] <= now_ms:
            at_ms, entry_id = heappop(self._alarms)
            if self._due.get(entry_id, self._parked.get(entry_id)) == at_ms:
                # It rings once: a clock that is set back before its turn must not make it too early again.
                self._due[entry_id] = 0
            self._touch(entry_id)
        touched, self._touched = self._touched, set()
        for conversation in touched - self.running:
            if self.next_of(conversation, now_ms) is not None:
                yield conversation

    def is_restless(self, now_ms: int) -> bool:
        """Something has happened since `idle_conversations` was last asked."""
        return bool(self._touched) or bool(self._alarms and self._alarms[0][0] <= now_ms)

    def next_alarm_ms(self) -> int | None:
        """Return when the first of the resting entries is to be looked at again."""
        return self._alarms[0][0] if self._alarms else None

    def _touch(self, entry_id: str) -> None:
        if entry_id in self._by_id:
            self._touched.add(self._by_id[entry_id].conversation)


def _order(entry_id: str) -> tuple[int, int]:
    """Ids are a time in ms and a number, as in 1795000000000-0; in the cursor that may be 0 alone."""
    at_ms, _, number = entry_id.partition("-")
    return int(at_ms), int(number or 0)
