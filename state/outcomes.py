"""What can become of a transition: each script's answers, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from state.snapshot import Snapshot


class Accepted(Enum):
    """What became of a call at the inbox; *word* says so in counts and in the log."""

    word: str

    def __init__(self, answer: bytes) -> None:
        self.word = answer.decode().lower()

    ACCEPTED = b"ACCEPTED"
    """Stored; its conversation is known."""
    DUPLICATE = b"DUPLICATE"
    """Its idempotency key was accepted before; nothing was stored."""
    UNRESOLVED = b"UNRESOLVED"
    """Stored; it waits until somebody registers the token that it carries."""
    FULL = b"FULL"
    """Not stored: its partition owes as much as it may."""


class Committed(Enum):
    """What became of a change."""

    COMMITTED = b"COMMITTED"
    """All of it is in force."""
    FENCED = b"FENCED"
    """The lease is no longer ours: another worker has the partition."""
    GONE = b"GONE"
    """The inbox entry has ended already; nothing was changed."""
    CONFLICT = b"CONFLICT"
    """The conversation has changed since it was read; nothing was changed."""
    STALE = b"STALE"
    """The provider's object had come further before; nothing was changed."""


class Settled(Enum):
    """What became of an entry that was ended or postponed without a change."""

    SETTLED = b"SETTLED"
    FENCED = b"FENCED"
    GONE = b"GONE"
    CONFLICT = b"CONFLICT"
    """Parking was decided on a state that has changed meanwhile."""


class Fired(Enum):
    """What became of a timer that was found due."""

    FIRED = b"FIRED"
    """Its event is in the inbox."""
    FENCED = b"FENCED"
    GONE = b"GONE"
    """It was cancelled or set anew meanwhile."""


class Replayed(Enum):
    """What became of a dead letter that was to be replayed."""

    REPLAYED = b"REPLAYED"
    """Its event is in the inbox again."""
    GONE = b"GONE"
    """There is no such letter: it was replayed or discarded before, or its time was over."""
    HOMELESS = b"HOMELESS"
    """No handler can have it: its conversation is not known, or it was a word to a subscriber."""


class AcceptAnswer(NamedTuple):
    outcome: Accepted
    entry_id: str
    before: str | None = None
    """The id of the entry before it, "": there is none; None: it is not for a worker of this process."""
    conversation: bytes = b""
    terms: bytes = b""
    """Those of the expectation that it answers."""
    snapshot: Snapshot | None = None
    """What its first run, which is counted already, may read."""


class CommitAnswer(NamedTuple):
    outcome: Committed
    revision: int = 0
    effects: int = 0
    resolved: int = 0
    unparked: Sequence[bytes] = ()
    """Inbox ids of parked events of this conversation, to be looked at again."""
    wanted: Sequence[bytes] = ()
    timers: int = 0
    """So many were set."""
    now_ms: int = 0
    """The time at the server."""
    told: int = 0
    """So many subscribers are owed word of it."""


class Loaded(NamedTuple):
    attempts: int
    rank: int | None
    snapshot: Snapshot
    journal: Mapping[str, bytes]
    """What came of the calls that earlier runs have made."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What measure.lua found in one partition."""

    now_ms: int
    events: int
    parked: int
    waiting: int
    unresolved: int
    dead: int
    effects: int
    unremoved: int
    lease_ms: int
    looked_at: str
    waits_for_us: bool
    oldest_effect: str
