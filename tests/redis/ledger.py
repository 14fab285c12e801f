"""What senders, workers and writers have done so far, and so what must be true of the store."""

from collections import defaultdict
from dataclasses import dataclass, field

from state.conversation import Conversation


@dataclass
class Ledger:
    """The events that were accepted, by their keys, what became of each, and how often each writer wrote."""

    accepted: defaultdict[tuple[Conversation, str], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Of each conversation and source, in order."""
    entry_ids: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    """How: applied or dead."""
    written: defaultdict[Conversation, int] = field(default_factory=lambda: defaultdict(int))

    def every(self) -> list[tuple[str, str, Conversation]]:
        """Return the key, the source and the conversation of all."""
        return [(key, source, to) for (to, source), keys in self.accepted.items() for key in keys]

    def owed(self) -> set[str]:
        """Return the inbox ids of what has not ended."""
        return {self.entry_ids[key] for key, _, _ in self.every() if key not in self.ended}

    def that_ended(self, how: str) -> list[str]:
        """Return the keys of those that ended so."""
        return [key for key, end in self.ended.items() if end == how]

    def applied(self, to: Conversation, source: str) -> list[str]:
        """Return what of one conversation and source has taken effect, in the order in which it must have."""
        return [key for key in self.accepted[to, source] if self.ended.get(key) == "applied"]

    def first_events(self) -> list[str]:
        """Return the oldest event of each source and conversation that has not ended."""
        owed = ([key for key in keys if key not in self.ended] for keys in self.accepted.values())
        return [keys[0] for keys in owed if keys]

    def conversation_of(self, key: str) -> Conversation:
        """Return whose event it is."""
        return next(to for (to, _), keys in self.accepted.items() if key in keys)
