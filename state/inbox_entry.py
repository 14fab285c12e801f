"""One event that we owe work, as it lies in the inbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from state.conversation import Conversation
from state.envelope import Envelope
from state.expectations import Expectation
from state.snapshot import Snapshot

_NOTHING: Final[Mapping[str, bytes]] = MappingProxyType({})


@dataclass(slots=True)
class Opening:
    """The first run of an entry, which its acceptance has counted and read for."""

    lease: str
    """It began under this one."""
    snapshot: Snapshot | None
    """What the run may read; None: it is no longer what the conversation will hold then."""
    begun: bool = False

    def holds(self, lease: str) -> bool:
        """Tell whether the first run may begin with the snapshot, under *lease*, with nothing asked."""
        return not self.begun and self.snapshot is not None and self.lease == lease


class InboxEntry(NamedTuple):
    """An envelope that is owed work, its place in the inbox, and the expectation that it answers."""

    id: str
    partition: int
    envelope: Envelope
    conversation: Conversation
    expectation: Expectation | None
    urgent: bool = False
    """A user waits for the answer."""
    first_id: str | None = None
    """The id that it was accepted under, if it has been unresolved or a dead letter since."""
    journal: Mapping[str, bytes] = _NOTHING
    """What came of its handler's calls before it was a dead letter."""
    opening: Opening | None = None
    """None: its first run has not been counted at its acceptance."""

    @property
    def known_id(self) -> str:
        """The id by which its sender knows it."""
        return self.first_id or self.id
