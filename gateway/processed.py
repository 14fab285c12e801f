"""What became of one run of a handler, and what has to be done next."""

from enum import Enum
from typing import NamedTuple, Self

from state.outcomes import CommitAnswer, Committed


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

    @classmethod
    def by_commit(cls, answer: CommitAnswer) -> Self:
        """Return what came of a run whose change was committed, or could not be."""
        if answer.outcome is Committed.FENCED:
            return cls(Fate.LOST)
        if answer.outcome is Committed.STALE:
            # Two events of one object at once: the other was further on, and this one changed nothing.
            return cls(Fate.WAITS, at_ms=0)
        if answer.outcome is Committed.GONE:
            # It was committed, though that answer was lost: what it may have left is looked for.
            return cls(Fate.ENDED, ended="applied", wrote=True, timers=True, told=True)
        return cls(
            Fate.ENDED,
            ended="applied",
            unparked=tuple([entry_id.decode() for entry_id in answer.unparked]),
            wrote=bool(answer.effects or answer.resolved),
            timers=bool(answer.timers),
            told=bool(answer.told),
        )
