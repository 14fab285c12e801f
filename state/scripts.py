"""The typed doors to the Lua files of an event's way: what a transition takes, and what it answers."""

from typing import Literal

from state.changes import Answered, Cause, Change, DraftChange, Registration, TimerSetting, Tracked, flat
from state.conversation import Conversation
from state.counts import Counts
from state.grouping import Argument, GroupedCalls, Script
from state.keys import Keys
from state.outcomes import AcceptAnswer, Accepted, CommitAnswer, Committed, Loaded, Settled
from state.packing import pack_for_lua
from state.script_keys import ScriptKeys
from state.snapshot import Snapshot, pairs
from state.watch import Watch

__all__ = [
    "Accepted",
    "Answered",
    "Cause",
    "Change",
    "CommitAnswer",
    "Committed",
    "DraftChange",
    "Loaded",
    "Registration",
    "Scripts",
    "Settled",
    "TimerSetting",
    "Tracked",
]

_ACCEPT = Script.load("accept", after=["clock", "snapshot"])
_BURY = Script.load("bury")
_LOAD = Script.load("load", after=["clock", "fields", "snapshot"], when_full=True)
_COMMIT = Script.load("commit", after=["clock", "fields", "timers", "states", "watchers"], when_full=True)
_WRITE = Script.load("commit", after=["clock", "fields", "timers", "states", "watchers"])
_SETTLE = Script.load("settle", after=["letters"], when_full=True)
_RECORD = Script.load("record", after=["clock", "states"], when_full=True)
_CLAIM = Script.load("claim", when_full=True)
_HOLD = Script.load("hold", when_full=True)
_SIGN = Script.load("sign", when_full=True)
_JOURNAL = Script.load("journal", when_full=True)


#: How long the answer to an effect is kept for whoever waits for it.
TELL_FOR_MS = 60_000


class Scripts:
    """The transitions of events, effects and leases. Each method is one script, run whole or not at all."""

    def __init__(
        self, calls: GroupedCalls, keys: Keys, *, worker: str = "", watch: Watch | None = None
    ) -> None:
        self.calls = calls
        self.keys = keys
        self._of_scripts = ScriptKeys(keys)
        self.worker = worker
        self.watch = watch or Watch()
        self.counts = Counts(calls, keys)

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
        most: int,
        urgent: bool,
        begin_under: str = "",
    ) -> AcceptAnswer:
        """
        Keep one call once; if *begin_under* is the partition's lease, begin its handler's first run.

        That of a group's event is not begun once the group has moved, or came from another one.
        """
        keys = self.keys
        names = [keys.seen(partition, source, idempotency_key), *self._of_scripts.accepting(partition)]
        if token is not None:
            names += [keys.expectation(partition, token), keys.waiting(partition, token)]
        elif begin_under and conversation is not None:
            names += [keys.conversation(conversation), keys.attempts(partition)]
            if conversation.chat_id < 0:
                names += [keys.moved(conversation), keys.was(conversation)]
        arguments: list[Argument] = [
            packed,
            conversation.encode() if conversation else "",
            remember_ms,
            unresolved_ms,
            self.worker,
            keys.wake_channel(""),
            most,
            int(urgent),
            begin_under,
        ]
        outcome, entry_id, *ours = await self.calls.script(_ACCEPT, names, arguments)
        if not ours:
            return AcceptAnswer(Accepted(outcome), entry_id.decode())
        before, found, terms, *read = ours
        snapshot = Snapshot.read(*read[0]) if read else None
        return AcceptAnswer(Accepted(outcome), entry_id.decode(), before.decode(), found, terms, snapshot)

    async def bury(
        self,
        packed: bytes,
        *,
        source: str,
        idempotency_key: str,
        partition: int,
        why: bytes,
        remember_ms: int,
    ) -> tuple[Accepted, str]:
        """Keep as a dead letter what nobody can understand; return what became of it and its id."""
        names = [self.keys.seen(partition, source, idempotency_key), self.keys.dead(partition)]
        outcome, entry_id = await self.calls.script(_BURY, names, [packed, why, remember_ms])
        return Accepted(outcome), entry_id.decode()

    async def load(
        self,
        lease: str,
        entry_id: str,
        conversation: Conversation,
        *,
        object_key: str | None,
        counted: bool = False,
    ) -> Loaded | Committed:
        """Begin one run: count it, unless it is, and read its conversation. Otherwise FENCED or GONE."""
        keys, partition = self.keys, self.keys.partition_of(conversation)
        names = [
            keys.lease(partition),
            keys.attempts(partition),
            keys.conversation(conversation),
            keys.inbox(partition),
            keys.journal(partition, entry_id),
        ]
        if object_key is not None:
            names.append(keys.rank(partition, object_key))
        outcome, *rest = await self.calls.script(_LOAD, names, [lease, entry_id, int(not counted)])
        if not rest:
            return Committed(outcome)
        attempts, rank, read, journal = rest
        recorded = {call.decode(): result for call, result in pairs(journal).items()}
        return Loaded(int(attempts), int(rank) if rank else None, Snapshot.read(*read), recorded)

    async def journal(self, partition: int, entry_id: str, call: str, result: bytes, *, keep_ms: int) -> bool:
        """Record what came of one call of a handler; False: its entry has ended."""
        names = [self.keys.inbox(partition), self.keys.journal(partition, entry_id)]
        return bool(await self.calls.script(_JOURNAL, names, [entry_id, call, result, keep_ms]))

    async def commit(self, change: Change) -> CommitAnswer:
        """Make *change*, whole or not at all. A handler's is a conflict once its group has moved."""
        keys, conversation = self.keys, change.conversation
        partition = keys.partition_of(conversation)
        of_handler_in_group = change.lease is not None and conversation.chat_id < 0
        names = [
            *self._of_scripts.committing(conversation),
            keys.moved(conversation) if of_handler_in_group else keys.conversation(conversation),
            keys.journal(partition, change.entry_id or ""),
            keys.rank(partition, change.rank[0] if change.rank else ""),
            keys.ended(partition, change.first_id or change.entry_id or ""),
            keys.made(partition, change.once or ""),
        ]
        for expectation in change.expectations:
            names.append(keys.expectation(expectation.partition, expectation.token))
            names.append(keys.waiting(expectation.partition, expectation.token))
        concerned = self.watch.concerned(change.state) if change.state is not None else {}
        names += [keys.owed_to(partition, subscriber) for subscriber in concerned]
        packed = change.pack(wake=keys.wake_channel(""), watch=self.watch.members(concerned))
        # Who writes from outside frees nothing, and must wait while memory is short.
        script = _COMMIT if change.lease is not None else _WRITE
        answer = await self.calls.script(script, names, [packed])
        if len(answer) == 1:
            return CommitAnswer(Committed(answer[0]))
        return CommitAnswer(Committed(answer[0]), *answer[1:])

    async def settle(
        self,
        lease: str,
        conversation: Conversation,
        entry_id: str,
        verb: Literal["retry", "park", "ignore", "dead", "move"],
        detail: Argument = "",
        *,
        basis: int = 0,
        told_ms: int = 0,
        first_id: str | None = None,
    ) -> Settled:
        """
        End or postpone one entry.

        *detail* is the time in ms at which a retry is due or a parked entry given up, or a dead letter's
        packed reason; *basis* is the revision that parking was decided on; *told_ms* is how long to keep how
        it ended, and *first_id* the id by which its sender knows it, if that is another one.
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
            keys.timers_of(conversation),
            keys.ended(partition, first_id or entry_id),
            keys.resolved(partition),
        ]
        arguments: list[Argument] = [lease, entry_id, verb, detail, basis, told_ms]
        return Settled(await self.calls.script(_SETTLE, names, arguments))

    async def record(self, effect_id: str, answered: Answered) -> bool:
        """Record Telegram's answer and end the effect; False: another worker had recorded it before."""
        keys, conversation = self.keys, answered.conversation
        names = [
            keys.outbox(keys.partition_of(conversation)),
            keys.conversation(conversation),
            keys.garbage(conversation),
            keys.tally(keys.partition_of(conversation)),
            keys.feed(keys.partition_of(conversation)),
            keys.history(conversation),
            keys.moved(conversation),
        ]
        if answered.told is not None:
            names.append(keys.told(conversation, answered.told[0]))
        packed = pack_for_lua(
            {
                "conversation": conversation.encode(),
                "ttl_ms": answered.ttl_ms,
                "set": flat(answered.set),
                "del": list(answered.delete),
                "garbage": [message.members() for message in answered.garbage],
                "replaced": [message.members() for message in answered.replaced],
                "counts": dict(answered.counts),
                "delivered": answered.delivered,
                **({"feed": self.watch.feed} if self.watch.feed else {}),
                **({"told": answered.told[1], "told_ms": TELL_FOR_MS} if answered.told else {}),
            }
        )
        return bool(await self.calls.script(_RECORD, names, [effect_id, packed]) == b"RECORDED")

    async def claim(self, partition: int, worker: str, lease_ms: int) -> str | None:
        """Take a partition that nobody holds; return the lease's value."""
        names = [self.keys.lease(partition), self.keys.fence(partition)]
        value = await self.calls.script(_CLAIM, names, [worker, lease_ms])
        return value.decode() if value else None

    async def sign(self, lasts_ms: int) -> frozenset[str]:
        """Say that this worker lives, or with 0 ms that it takes no more work; return those that live."""
        living = await self.calls.script(_SIGN, [self.keys.workers], [self.worker, lasts_ms])
        return frozenset(worker.decode() for worker in living)

    async def hold(self, partition: int, lease: str, lease_ms: int) -> bool:
        """Renew a lease; with 0 ms give it back. False: it is no longer ours."""
        return bool(await self.calls.script(_HOLD, [self.keys.lease(partition)], [lease, lease_ms]))
