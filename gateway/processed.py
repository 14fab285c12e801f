"""What became of one run of a handler, and what has to be done next."""

from enum import Enum
from typing import NamedTuple


class Fate(Enum):
    """What the partition has to do with the entry next."""

    ENDED = "ended"
    """Nothing: it is applied, ignored by name, or a dead letter."""
    WAITS = "waits"
    """Run it again when it is due."""
    PARKED = "parked"
    """Look at it again when the conversation's state changes, or its time is over."""
    LOST = "lost"
    """Nothing: another worker has the partition."""


class Processed(NamedTuple):
    """One run's end: what next and when, and the parked entries that the change of state concerns."""

    fate: Fate
    at_ms: int = 0
    ended: str = ""
    """How the event has ended: applied, ignored, dead, or moved to the supergroup that its group became."""
    unparked: tuple[str, ...] = ()
    wrote: bool = False
    """Something was left for delivery or for the inbox."""
    timers: bool = False
    """Timers were set."""
    told: bool = False
    """Subscribers are owed word of it."""
