"""One change of one conversation, as commit.lua makes it: whole or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from state.conversation import Conversation
from state.packing import pack, pack_for_lua

#: A client that lost an answer asks again within seconds, or never.
REMEMBER_MADE_MS = 120_000


@dataclass(frozen=True, slots=True)
class DraftChange:
    """What to do to one draft: clear it, then set and delete fields (JSON values)."""

    clear: bool = False
    set: Mapping[str, bytes] = field(default_factory=dict)
    delete: Sequence[str] = ()
    ttl_ms: int | None = None
    """How long the draft lives after this write; 0: as long as the conversation; None: leave its deadline."""

    def members(self) -> dict[str, Any]:
        """Return it as the scripts read it."""
        members: dict[str, Any] = {"clear": self.clear, "set": flat(self.set), "del": list(self.delete)}
        return members if self.ttl_ms is None else members | {"ttl_ms": self.ttl_ms}


@dataclass(frozen=True, slots=True)
class Registration:
    """An expectation to register: its token, its packed terms, how long it lives."""

    partition: int
    token: str
    terms: bytes
    ttl_ms: int


@dataclass(frozen=True, slots=True)
class Tracked:
    """A message that belongs to *state* and goes when that state is left."""

    place: str
    """``chat:message``"""
    state: str | None
    sent_at_ms: int
    block: str | None = None
    """The block of the screen that it is; the message stays if leaving the state shows that block anew."""

    def members(self) -> tuple[str, str | bool, int, str | bool]:
        """Return it as the scripts read it: what is absent is false."""
        return (self.place, self.state or False, self.sent_at_ms, self.block or False)


@dataclass(frozen=True, slots=True)
class TimerSetting:
    """A timer to set, in place of one of the same name: the packed envelope that it puts in the inbox."""

    name: str
    due_at_ms: int
    envelope: bytes
    bound: bool
    """It is cancelled when the state that this change ends in is left."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Who made a change and why: what its conversation's history says."""

    source: str
    type: str
    idempotency_key: str = ""
    entry_id: str = ""
    did: Sequence[str] = ()
    """What the chat was owed for it: ``show content``, ``call SendMessage``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one conversation. What is absent is left alone."""

    conversation: Conversation
    ttl_ms: int
    lease: str | None = None
    """The worker's lease; None: a writer outside of the worker, whose single fields never conflict."""
    entry_id: str | None = None
    first_id: str | None = None
    """The id that the event was accepted under, if it was unresolved then and has another one now."""
    basis: int | None = None
    """The revision that the change was computed from; None: it does not depend on any."""
    again: bool = False
    """The object may have come as far as *rank* before: each event of this kind is a fact of its own."""
    rank: tuple[str, int, int] | None = None
    """A provider's object, how far it has come, and how long to remember that in ms."""
    state: str | Literal[False] | None = None
    """The new state; False unsets it; None leaves it."""
    replace: Literal["all", "data"] | None = None
    """Remove all data first, and the drafts with it or not."""
    set: Mapping[str, bytes] = field(default_factory=dict)
    delete: Sequence[str] = ()
    drafts: Mapping[str, DraftChange] = field(default_factory=dict)
    touch: Mapping[str, int] = field(default_factory=dict)
    """Drafts that were read, and how long they live after that in ms."""
    garbage: Sequence[Tracked] = ()
    effects: Sequence[bytes] = ()
    shows: Sequence[str] = ()
    """The blocks that are among the effects."""
    expectations: Sequence[Registration] = ()
    timers: Sequence[TimerSetting] = ()
    cancel: Sequence[str] = ()
    """Names of timers to cancel first."""
    cause: Cause | None = None
    """None: the change does not stand in the history."""
    told_ms: int | None = None
    """How long to keep how the event ended; None: not at all."""
    forget: bool = False
    """Remove the whole conversation."""
    when: Mapping[str, bytes | None] = field(default_factory=dict)
    """Fields and what they must hold, None: nothing; otherwise the outcome is CONFLICT."""
    once: str | None = None
    """A random name of this change. Sent twice under one name, for a lost answer, it is made once."""
    turn: str | None = None
    """The ticket of the isolation under which the writer works; FENCED if its turn is over."""
    want: Literal["data"] | None = None
    want_draft: str | None = None

    def pack(self, *, wake: str, watch: Sequence[Any] = ()) -> bytes:
        """
        Return the change as commit.lua reads it; *wake* is the prefix of the wake channels, *watch* who is
        told of a change of state.
        """
        members: dict[str, Any] = {
            "conversation": self.conversation.encode(),
            "bot": str(self.conversation.bot_id),
            "told": self.told_ms or None,
            "forget": self.forget or None,
            "cause": self._packed_cause(),
            "ttl_ms": self.ttl_ms,
            "lease": self.lease,
            "entry": self.entry_id,
            "first": self.first_id,
            "basis": self.basis,
            "state": self.state,
            "replace": self.replace,
            "once": REMEMBER_MADE_MS if self.once is not None else None,
            "turn": self.turn,
            "want": {"draft": self.want_draft} if self.want_draft is not None else self.want,
            "watch": (watch or None) if self.state is not None else None,
            "wake": wake if self.lease is None else None,
        }
        if self.rank is not None:
            _, members["rank"], members["rank_ms"] = self.rank
            members["again"] = self.again or None
        lists: dict[str, Any] = {
            "set": flat(self.set),
            "del": list(self.delete),
            "drafts": {feature: draft.members() for feature, draft in self.drafts.items()},
            "touch": dict(self.touch),
            "when": {name: False if stored is None else stored for name, stored in self.when.items()},
            "garbage": [message.members() for message in self.garbage],
            "effects": list(self.effects),
            "shows": dict.fromkeys(self.shows, True),
            "timers": [(timer.name, timer.due_at_ms, timer.envelope, timer.bound) for timer in self.timers],
            "cancel": list(self.cancel),
            "expectations": [
                {"terms": expectation.terms, "ttl_ms": expectation.ttl_ms}
                for expectation in self.expectations
            ],
        }
        members = {name: value for name, value in members.items() if value is not None}
        return pack_for_lua(members | {name: value for name, value in lists.items() if value})

    def _packed_cause(self) -> bytes | None:
        if self.cause is None:
            return None
        drafts = {feature: _names_of(change) for feature, change in self.drafts.items()}
        cause = self.cause
        return pack(
            (cause.source, cause.type, cause.idempotency_key, cause.entry_id, drafts, list(cause.did))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What Telegram answered to one effect: fields of the screen, and messages to track."""

    conversation: Conversation
    ttl_ms: int
    set: Mapping[str, bytes] = field(default_factory=dict)
    delete: Sequence[str] = ()
    garbage: Sequence[Tracked] = ()
    replaced: Sequence[Tracked] = ()
    """Messages that a new one has taken the place of."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What to count, and how often it has happened."""
    told: tuple[str, bytes] | None = None
    """A ticket, and what whoever holds it is told."""
    delivered: bytes = b""
    """It in the words of the feed."""


def _names_of(draft: DraftChange) -> list[str]:
    return (["*"] if draft.clear else []) + sorted({*draft.set, *draft.delete})


def flat(fields: Mapping[str, bytes]) -> list[str | bytes]:
    """Return a mapping as Redis's commands take it: name, value, name, value."""
    return [part for pair in fields.items() for part in pair]
