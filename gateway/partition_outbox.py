"""One partition's part of the outbox, as its delivery sees it: what each chat is owed."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from gateway.lane import Lane
from state.lease import Lease


@dataclass(slots=True)
class PartitionOutbox:
    """The effects of one partition that are known here, kept apart by chat."""

    lease: Lease
    cursor: str = "0"
    """The newest effect that was read."""
    lanes: dict[tuple[int, int, bool], Lane] = field(default_factory=dict)
    reading: asyncio.Task[None] | None = None
    again: bool = False
    held: int = 0
    """Effects in the lanes."""
    full: bool = False
    """Reading has stopped because of them."""
    connections: int = 0
    """How many there had been to Redis when it was read."""
    known: Collection[str] = frozenset()
    """Effects before the cursor that have been read already."""

    def read_anew(self, connections: int) -> None:
        """
        Learn how many *connections* to Redis there have been: after a new one, all is read again.

        As for the inbox: what comes now can have an id before the newest that was read.
        """
        if connections != self.connections:
            self.connections, self.cursor = connections, "0"
            self.known = {entry.id for lane in self.lanes.values() for entry in lane.entries}

    def begin_nothing_more(self) -> Sequence[asyncio.Task[None]]:
        """End all that is not a call to Telegram under way; return the tasks that have not ended yet."""
        tasks = [lane.task for lane in self.lanes.values() if lane.task]
        for lane in self.lanes.values():
            if lane.task and not lane.calling:
                lane.task.cancel()
        if self.reading:
            self.reading.cancel()
            tasks.append(self.reading)
        return tasks
