"""Who outside is told of changes of state, by the commits that make them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

#: After the last word and the last attempt: what a subscriber that was removed is owed goes too.
KEEP_OWED_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class WatchRule:
    """Changes of state that *subscriber* wants to be told of; None stands for any, ``""`` for no state."""

    subscriber: str
    before: frozenset[str] | None = None
    after: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """
    The feed's length in entries of one partition (0: no feed), how long it is kept when nothing happens, and
    the subscribers' rules.
    """

    feed_length: int = 0
    keep_feed_for: timedelta = timedelta(days=1)
    rules: Sequence[WatchRule] = ()

    @property
    def feed(self) -> tuple[int, int] | None:
        """Return the feed's length, and in ms how long it is kept; None: there is none."""
        return (self.feed_length, _milliseconds(self.keep_feed_for)) if self.feed_length else None

    def concerned(self, state: str | Literal[False]) -> Mapping[str, frozenset[str] | None]:
        """Return whom a change to *state* can concern, and the states before that each wants."""
        if not self.rules:
            return {}
        after, wanted = state or "", dict[str, frozenset[str] | None]()
        for rule in self.rules:
            if rule.after is None or after in rule.after:
                others = wanted.get(rule.subscriber, frozenset())
                wanted[rule.subscriber] = (
                    None if rule.before is None or others is None else others | rule.before
                )
        return wanted

    def members(self, concerned: Mapping[str, frozenset[str] | None]) -> Sequence[Any]:
        """Return it as commit.lua reads it; nothing where there is nobody to tell."""
        if not concerned and not self.feed_length:
            return ()
        before = [sorted(states) if states is not None else False for states in concerned.values()]
        keep_owed_ms = _milliseconds(KEEP_OWED_FOR)
        return (self.feed_length, _milliseconds(self.keep_feed_for), before, keep_owed_ms)


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)
