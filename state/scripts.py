"""The one typed door to each Lua file: what a transition takes, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from state.conversation import Conversation
from state.grouping import Argument, GroupedCalls, Script
from state.keys import Keys
from state.packing import pack_for_lua

_ACCEPT = Script.load("accept")
_LOAD = Script.load("load")
_COMMIT = Script.load("commit", after=["fields"])
_SETTLE = Script.load("settle")
_RECORD = Script.load("record")
_DRAFT = Script.load("draft", after=["fields"])
_CLAIM = Script.load("claim")
_HOLD = Script.load("hold")

Fields = Mapping[bytes, bytes]


class Accepted(Enum):
    """What became of a call at the inbox."""

    ACCEPTED = b"ACCEPTED"
    """Stored; its conversation is known."""
    DUPLICATE = b"DUPLICATE"
    """Its idempotency key was accepted before; nothing was stored."""
    UNRESOLVED = b"UNRESOLVED"
    """Stored; it waits until somebody registers the token that it carries."""


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


@dataclass(frozen=True, slots=True)
class DraftChange:
    """What to do to one draft: clear it, then set and delete fields (JSON values)."""

    clear: bool = False
    set: Mapping[str, bytes] = field(default_factory=dict)
    delete: Sequence[str] = ()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one conversation. What is absent is left alone."""

    conversation: Conversation
    ttl_ms: int
    lease: str | None = None
    """The worker's lease; None: a writer outside of the worker, whose single fields never conflict."""
    entry_id: str | None = None
    basis: int | None = None
    """The revision that the change was computed from; None: it does not depend on any."""
    rank: tuple[str, int, int] | None = None
    """A provider's object, how far it has come, and how long to remember that in ms."""
    state: str | Literal[False] | None = None
    """The new state; False unsets it; None leaves it."""
    replace: bool = False
    """Remove all data and drafts first."""
    set: Mapping[str, bytes] = field(default_factory=dict)
    delete: Sequence[str] = ()
    drafts: Mapping[str, DraftChange] = field(default_factory=dict)
    garbage: Sequence[Tracked] = ()
    effects: Sequence[bytes] = ()
    expectations: Sequence[Registration] = ()
    want: Literal["data"] | None = None
    want_draft: str | None = None


@dataclass(frozen=True, slots=True)
class CommitAnswer:
    outcome: Committed
    revision: int = 0
    effects: int = 0
    resolved: int = 0
    unparked: Sequence[bytes] = ()
    """Inbox ids of parked events of this conversation, to be looked at again."""
    wanted: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    attempts: int
    rank: int | None
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What Telegram answered to one effect: fields of the screen, and messages to track."""

    conversation: Conversation
    ttl_ms: int
    set: Mapping[str, bytes] = field(default_factory=dict)
    delete: Sequence[str] = ()
    garbage: Sequence[Tracked] = ()


class Scripts:
    """Every transition in Redis. Each method is one script, run whole or not at all."""

    def __init__(self, calls: GroupedCalls, keys: Keys, *, worker: str = "") -> None:
        self.calls = calls
        self.keys = keys
        self.worker = worker

    async def accept(
        self,
        packed: bytes,
        *,
        source: str,
        idempotency_key: str,
        partition: int,
        conversation: Conversation | None,
        token: str | None,
        remember_ms: int,
        unresolved_ms: int,
    ) -> tuple[Accepted, str]:
        """Keep one call once; return what became of it and its inbox id."""
        keys = self.keys
        names = [
            keys.seen(partition, source, idempotency_key),
            keys.inbox(partition),
            keys.lease(partition),
            keys.unresolved(partition),
        ]
        if token is not None:
            names += [keys.expectation(partition, token), keys.waiting(partition, token)]
        arguments: list[Argument] = [
            packed,
            conversation.encode() if conversation else "",
            remember_ms,
            unresolved_ms,
            self.worker,
            keys.wake_channel(""),
        ]
        outcome, entry_id = await self.calls.script(_ACCEPT, names, arguments)
        return Accepted(outcome), entry_id.decode()

    async def load(
        self, lease: str, entry_id: str, conversation: Conversation, *, object_key: str | None
    ) -> Loaded | None:
        """Begin one run: count it and read its conversation. None: the lease is no longer ours."""
        keys, partition = self.keys, self.keys.partition_of(conversation)
        names = [keys.lease(partition), keys.attempts(partition), keys.conversation(conversation)]
        if object_key is not None:
            names.append(keys.rank(partition, object_key))
        outcome, *rest = await self.calls.script(_LOAD, names, [lease, entry_id])
        if outcome == b"FENCED":
            return None
        attempts, rank, flat = rest
        return Loaded(int(attempts), int(rank) if rank else None, pairs(flat))

    async def commit(self, change: Change) -> CommitAnswer:
        """Make *change*, whole or not at all."""
        keys, conversation = self.keys, change.conversation
        partition = keys.partition_of(conversation)
        names = [
            keys.lease(partition),
            keys.inbox(partition),
            keys.attempts(partition),
            keys.due(partition),
            keys.conversation(conversation),
            keys.garbage(conversation),
            keys.outbox(partition),
            keys.unresolved(partition),
            keys.journal(partition, change.entry_id or ""),
            keys.rank(partition, change.rank[0] if change.rank else ""),
            keys.parked(partition),
            keys.parked_of(conversation),
        ]
        for expectation in change.expectations:
            names.append(keys.expectation(expectation.partition, expectation.token))
            names.append(keys.waiting(expectation.partition, expectation.token))
        answer = await self.calls.script(_COMMIT, names, [self._pack(change)])
        if len(answer) == 1:
            return CommitAnswer(Committed(answer[0]))
        return CommitAnswer(Committed(answer[0]), *answer[1:])

    def _pack(self, change: Change) -> bytes:
        members: dict[str, Any] = {
            "conversation": change.conversation.encode(),
            "ttl_ms": change.ttl_ms,
            "lease": change.lease,
            "entry": change.entry_id,
            "basis": change.basis,
            "state": change.state,
            "replace": change.replace or None,
            "want": {"draft": change.want_draft} if change.want_draft is not None else change.want,
        }
        if change.lease is None:
            members["wake"] = self.keys.wake_channel("")
        if change.rank is not None:
            _, members["rank"], members["rank_ms"] = change.rank
        if change.set:
            members["set"] = _flat(change.set)
        if change.delete:
            members["del"] = change.delete
        if change.drafts:
            members["drafts"] = {
                feature: {"clear": draft.clear, "set": _flat(draft.set), "del": list(draft.delete)}
                for feature, draft in change.drafts.items()
            }
        if change.garbage:
            members["garbage"] = [_tracked(message) for message in change.garbage]
        if change.effects:
            members["effects"] = change.effects
        if change.expectations:
            members["expectations"] = [
                {"terms": expectation.terms, "ttl_ms": expectation.ttl_ms}
                for expectation in change.expectations
            ]
        return pack_for_lua({name: value for name, value in members.items() if value is not None})

    async def settle(
        self,
        lease: str,
        conversation: Conversation,
        entry_id: str,
        verb: Literal["retry", "park", "ignore", "dead"],
        detail: Argument = "",
        *,
        basis: int = 0,
    ) -> Settled:
        """
        End or postpone one entry.

        *detail* is the time in ms at which a retry is due or a parked entry given up, or a dead letter's
        packed reason; *basis* is the revision that parking was decided on.
        """
        keys, partition = self.keys, self.keys.partition_of(conversation)
        names = [
            keys.lease(partition),
            keys.inbox(partition),
            keys.attempts(partition),
            keys.due(partition),
            keys.dead(partition),
            keys.journal(partition, entry_id),
            keys.parked(partition),
            keys.parked_of(conversation),
            keys.conversation(conversation),
        ]
        return Settled(await self.calls.script(_SETTLE, names, [lease, entry_id, verb, detail, basis]))

    async def record(self, effect_id: str, answered: Answered) -> bool:
        """Record Telegram's answer and end the effect; False: another worker had recorded it before."""
        keys, conversation = self.keys, answered.conversation
        names = [
            keys.outbox(keys.partition_of(conversation)),
            keys.conversation(conversation),
            keys.garbage(conversation),
        ]
        packed = pack_for_lua(
            {
                "conversation": conversation.encode(),
                "ttl_ms": answered.ttl_ms,
                "set": _flat(answered.set),
                "del": list(answered.delete),
                "garbage": [_tracked(message) for message in answered.garbage],
            }
        )
        return bool(await self.calls.script(_RECORD, names, [effect_id, packed]) == b"RECORDED")

    async def draft(self, conversation: Conversation, feature: str) -> Fields:
        """Read one feature's draft."""
        return pairs(await self.calls.script(_DRAFT, [self.keys.conversation(conversation)], [feature]))

    async def claim(self, partition: int, worker: str, lease_ms: int) -> str | None:
        """Take a partition that nobody holds; return the lease's value."""
        names = [self.keys.lease(partition), self.keys.fence(partition)]
        value = await self.calls.script(_CLAIM, names, [worker, lease_ms])
        return value.decode() if value else None

    async def hold(self, partition: int, lease: str, lease_ms: int) -> bool:
        """Renew a lease; with 0 ms give it back. False: it is no longer ours."""
        return bool(await self.calls.script(_HOLD, [self.keys.lease(partition)], [lease, lease_ms]))


def pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return Redis's flat name, value, name, value as a mapping."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _flat(fields: Mapping[str, bytes]) -> list[str | bytes]:
    return [part for pair in fields.items() for part in pair]


def _tracked(message: Tracked) -> tuple[str, str | bool, int]:
    return (message.place, message.state if message.state is not None else False, message.sent_at_ms)
