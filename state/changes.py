"""One change of one conversation, as commit.lua makes it: whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, dataclass_transform

from state.conversation import Conversation
from state.packing import pack, pack_for_lua

#: A client that lost an answer asks again within seconds, or never.
REMEMBER_MADE_MS = 120_000
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


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


def asked(source: str, token: str) -> str:
    """Return what stands among the overdue for a *token* about which *source* is asked."""
    return f"{source} {token}"


@dataclass(frozen=True, slots=True)
class Registration:
    """An expectation to register: its token, its packed terms, how long it lives."""

    partition: int
    token: str
    terms: bytes
    ttl_ms: int
    source: str = ""
    ask_after_ms: int = 0
    """When to ask *source*, if that is not empty."""

    def members(self) -> dict[str, Any]:
        """Return it as the scripts read it."""
        members: dict[str, Any] = {"terms": self.terms, "ttl_ms": self.ttl_ms}
        if self.source:
            members |= {"ask": asked(self.source, self.token), "ask_after_ms": self.ask_after_ms}
        return members


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


class Cause(NamedTuple):
    """Who made a change and why: what its conversation's history says."""

    source: str
    type: str
    idempotency_key: str = ""
    entry_id: str = ""
    did: Sequence[str] = ()
    """What the chat was owed for it: ``show content``, ``call SendMessage``."""


@dataclass_transform(kw_only_default=True)
class _Sparse:
    """A record that holds what it was given only; all else has its class's value, and costs nothing."""

    def __init__(self, **given: Any) -> None:
        if not self.__annotations__.keys() >= given.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(given.keys() - self.__annotations__)}")
        self.__dict__.update(given)


class Change(_Sparse):
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
    set: Mapping[str, bytes] = _NOTHING
    delete: Sequence[str] = ()
    drafts: Mapping[str, DraftChange] = _NOTHING
    touch: Mapping[str, int] = _NOTHING
    """Drafts that were read, and how long they live after that in ms."""
    garbage: Sequence[Tracked] = ()
    effects: Sequence[bytes] = ()
    shows: Sequence[str] = ()
    """The blocks that are among the effects."""
    expectations: Sequence[Registration] = ()
    ended: tuple[str, str] | None = None
    """Source and token of a payment that has ended with this change: the source is not asked any more."""
    timers: Sequence[TimerSetting] = ()
    cancel: Sequence[str] = ()
    """Names of timers to cancel first."""
    cause: Cause | None = None
    """None: the change does not stand in the history."""
    told_ms: int | None = None
    """How long to keep how the event ended; None: not at all."""
    forget: bool = False
    """Remove the whole conversation."""
    when: Mapping[str, bytes | None] = _NOTHING
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
            "ttl_ms": self.ttl_ms,
        }
        for name, value in vars(self).items():
            if value and name in _SEVERAL:
                called, form = _SEVERAL[name]
                members[called] = form(value)
            elif value is not None and name in _SINGLE:
                members[_SINGLE[name]] = value
        if self.cause is not None:
            members["cause"] = self._packed_cause(self.cause)
        if self.lease is None:
            members["wake"] = wake
        if self.once is not None:
            members["once"] = REMEMBER_MADE_MS
        if self.rank is not None:
            _, members["rank"], members["rank_ms"] = self.rank
        if self.want_draft is not None:
            members["want"] = {"draft": self.want_draft}
        if watch and self.state is not None:
            members["watch"] = watch
        return pack_for_lua(members)

    def _packed_cause(self, cause: Cause) -> bytes:
        """Return *cause* as the history keeps it."""
        drafts = {feature: _names_of(change) for feature, change in self.drafts.items()}
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


#: What commit.lua calls it: what is None is left out.
_SINGLE: Final = {
    "lease": "lease",
    "entry_id": "entry",
    "first_id": "first",
    "basis": "basis",
    "state": "state",
    "replace": "replace",
    "turn": "turn",
    "want": "want",
}
#: The same with the form in which it is sent: what is empty is left out.
_SEVERAL: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "told_ms": ("told", int),
    "forget": ("forget", bool),
    "again": ("again", bool),
    "set": ("set", flat),
    "delete": ("del", list),
    "drafts": ("drafts", lambda drafts: {feature: draft.members() for feature, draft in drafts.items()}),
    "touch": ("touch", dict),
    "when": ("when", lambda when: {name: False if v is None else v for name, v in when.items()}),
    "garbage": ("garbage", lambda garbage: [message.members() for message in garbage]),
    "effects": ("effects", list),
    "shows": ("shows", lambda blocks: dict.fromkeys(blocks, True)),
    "timers": ("timers", lambda timers: [(t.name, t.due_at_ms, t.envelope, t.bound) for t in timers]),
    "cancel": ("cancel", list),
    "expectations": ("expectations", lambda expected: [each.members() for each in expected]),
    "ended": ("ended", lambda payment: asked(*payment)),
}
