"""
The protocol of lease, accept, load, commit and settle, on the real scripts, in any order of any few steps.

hypothesis chooses what workers, senders and writers do, where a worker dies, whose answer is lost and whose
lease ends; after each step the guarantees G1 to G5 must hold, and at the end every event has ended.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from state.connection import open_client
from state.conversation import Conversation
from state.envelope import Envelope
from state.grouping import GroupedCalls
from state.inbox import Disposition, Inbox
from state.keys import Keys
from state.outcomes import Committed, Settled
from state.packing import pack, unpack
from state.scripts import Change, Loaded, Scripts
from tests.redis.ledger import Ledger

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000
KEYS = Keys(partitions=1)
CONVERSATIONS = [Conversation.private(42, 501), Conversation.private(42, 502)]
WORKERS = st.sampled_from(["anna", "bert"])
SOURCES = st.sampled_from(["telegram", "stripe"])
PLACES = st.integers(0, 5)
DEEDS = st.sampled_from(
    ["goes on", "goes on", "loses the answer", "fails", "gives up", "renews", "gives back", "dies"]
)
HAPPENINGS = st.sampled_from(["accept", "repeat", "write"])


@dataclass
class Run:
    """An event that a worker has loaded and not yet committed."""

    entry_id: str
    key: str
    lease: str
    loaded: Loaded


class Protocol(RuleBasedStateMachine):
    """What the scripts do, beside what they must do."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._redis = open_client(self.url)
        self._do(self._redis.flushall())
        self._scripts = {
            name: Scripts(GroupedCalls(self._redis), KEYS, worker=name)
            for name in ("anna", "bert", "outside")
        }
        self._inbox = Inbox(self._scripts["outside"])
        self._numbers = count()
        self._leases: dict[str, str] = {}
        """What each worker believes."""
        self._holder: str | None = None
        """What is true."""
        self._runs: dict[str, Run] = {}
        self._fences: list[int] = []
        self._ledger = Ledger()

    def _do(self, asked: Awaitable[Any]) -> Any:
        async def answer() -> Any:
            return await asked

        return self._loop.run(answer())

    def teardown(self) -> None:
        """Let a last worker finish all; then every event that was accepted has ended as it must."""
        try:
            self._runs.clear()
            self._leases.clear()
            self.lease_ends()
            self.claim("anna")
            while self._ledger.first_events():
                self.begin("anna", 0)
                self.commit("anna", answer_is_lost=False)
            assert self._do(self._redis.xlen(KEYS.inbox(0))) == 0
            assert self._do(self._redis.exists(KEYS.attempts(0), KEYS.due(0))) == 0
            self.every_event_has_taken_effect_once_in_order_or_not_at_all()
        finally:
            self._do(self._redis.aclose())
            self._loop.close()

    @initialize(source=SOURCES)
    def something_is_owed(self, source: str) -> None:
        """Two events of one source, and a worker that has begun the first."""
        self.accept(0, source)
        self.accept(0, source)
        self.claim("anna")
        self.begin("anna", 0)

    @rule(worker=WORKERS, deed=DEEDS, place=PLACES)
    def a_worker_acts(self, worker: str, deed: str, place: int) -> None:
        """It goes on with its event, begins one, or reaches for the partition."""
        if deed == "dies":
            self.die(worker)
        elif worker in self._runs:
            if deed in {"fails", "gives up"}:
                self.fail(worker, dies=deed == "gives up")
            else:
                self.commit(worker, answer_is_lost=deed == "loses the answer")
        elif worker not in self._leases:
            if deed != "goes on":
                # It waits until the other one's has ended; nobody tells the other one.
                self.lease_ends()
            self.claim(worker)
        elif deed in {"renews", "gives back"}:
            self.renew(worker, gives_back=deed == "gives back")
        elif self._ledger.first_events():
            self.begin(worker, place)

    @rule(what=HAPPENINGS, conversation=st.sampled_from([0, 1]), source=SOURCES, place=PLACES)
    def something_happens(self, what: str, conversation: int, source: str, place: int) -> None:
        """A sender sends or repeats, a writer writes."""
        if what == "accept":
            self.accept(conversation, source)
        elif what == "repeat":
            self.repeat(place)
        else:
            self.write(conversation)

    # Senders

    def accept(self, conversation: int, source: str) -> None:
        """A new event comes."""
        key = str(next(self._numbers))
        to = CONVERSATIONS[conversation]
        assert self._send(key, source, to) is Disposition.ACCEPTED
        self._ledger.accepted[to, source].append(key)

    def repeat(self, place: int) -> None:
        """A sender has not seen the acknowledgement, or does not believe it."""
        every = self._ledger.every()
        assert self._send(*every[place % len(every)]) is Disposition.DUPLICATE

    def _send(self, key: str, source: str, to: Conversation) -> Disposition:
        envelope = Envelope(source, "thing.happened", key, 0, b"{}", conversation=to)
        receipt = self._do(self._inbox.take(envelope, remember_for=HOUR))
        self._ledger.entry_ids.setdefault(key, receipt.entry_id)
        assert self._ledger.entry_ids[key] == receipt.entry_id
        disposition: Disposition = receipt.disposition
        return disposition

    # Leases

    def claim(self, worker: str) -> None:
        """A worker reaches for the partition: it gets it if nobody holds it, and a higher number."""
        lease = self._do(self._scripts[worker].claim(0, worker, HOUR_MS))
        assert (lease is not None) == (self._holder is None)
        if lease is not None:
            fence = int(lease.rpartition("/")[2])
            assert fence > max(self._fences, default=0)
            self._fences.append(fence)
            self._leases[worker] = self._holder = lease

    def renew(self, worker: str, gives_back: bool) -> None:
        """Only the holder renews, and only it gives back."""
        lease = self._leases[worker]
        ours = self._do(self._scripts[worker].hold(0, lease, 0 if gives_back else HOUR_MS))
        assert ours == (lease == self._holder)
        if gives_back:
            del self._leases[worker]
            self._runs.pop(worker, None)
            if ours:
                self._holder = None

    def lease_ends(self) -> None:
        """Its worker was paused for too long, and does not know."""
        self._do(self._redis.delete(KEYS.lease(0)))
        self._holder = None

    def die(self, worker: str) -> None:
        """SIGKILL: all that the worker knew is gone; its lease is not."""
        self._leases.pop(worker, None)
        self._runs.pop(worker, None)

    # Workers

    def begin(self, worker: str, place: int) -> None:
        """A worker that believes in its lease loads the first event of a source."""
        owed = self._ledger.first_events()
        key = owed[place % len(owed)]
        lease, to = self._leases[worker], self._ledger.conversation_of(key)
        entry_id = self._ledger.entry_ids[key]
        loaded = self._do(self._scripts[worker].load(lease, entry_id, to, object_key=None))
        if lease == self._holder:
            assert isinstance(loaded, Loaded)
            self._runs[worker] = Run(entry_id, key, lease, loaded)
        else:
            assert loaded is Committed.FENCED

    def commit(self, worker: str, answer_is_lost: bool) -> None:
        """The holder's commit takes effect, whole; everybody else's and every second one not at all."""
        run = self._runs[worker]
        to = self._ledger.conversation_of(run.key)
        fields = run.loaded.snapshot.fields
        order = [*orjson.loads(fields.get(b"d:order", b"[]")), run.key]
        basis = int(fields.get(b"r", b"0"))
        change = Change(
            conversation=to,
            ttl_ms=HOUR_MS,
            lease=run.lease,
            entry_id=run.entry_id,
            basis=basis,
            set={"d:order": orjson.dumps(order)},
            effects=[pack({"kind": "call", "payload": {"key": run.key}})],
        )
        now = int(self._do(self._redis.hget(KEYS.conversation(to), "r")) or 0)
        outcome = self._do(self._scripts[worker].commit(change)).outcome
        assert outcome is self._right_outcome(run, basis == now)
        if outcome is Committed.COMMITTED:
            self._ledger.ended[run.key] = "applied"
        if not answer_is_lost:
            del self._runs[worker]

    def _right_outcome(self, run: Run, basis_holds: bool) -> Committed:
        if run.lease != self._holder:
            return Committed.FENCED
        if run.key in self._ledger.ended:
            return Committed.GONE
        return Committed.COMMITTED if basis_holds else Committed.CONFLICT

    def fail(self, worker: str, dies: bool) -> None:
        """A handler fails: its event waits, or is given up."""
        run = self._runs.pop(worker)
        settle = partial(
            self._scripts[worker].settle, run.lease, self._ledger.conversation_of(run.key), run.entry_id
        )
        settled = self._do(settle("dead", pack({"reason": "test"})) if dies else settle("retry", 1))
        if run.lease != self._holder:
            assert settled is Settled.FENCED
        elif run.key in self._ledger.ended:
            assert settled is Settled.GONE
        else:
            assert settled is Settled.SETTLED
            if dies:
                self._ledger.ended[run.key] = "dead"

    # Writers outside of any worker

    def write(self, conversation: int) -> None:
        """A REST call or a job changes a field of its own."""
        to = CONVERSATIONS[conversation]
        self._ledger.written[to] += 1
        value = str(self._ledger.written[to]).encode()
        change = Change(conversation=to, ttl_ms=HOUR_MS, set={"d:outside": value})
        assert self._do(self._scripts["outside"].commit(change)).outcome is Committed.COMMITTED

    # What must hold

    @invariant()
    def an_acknowledged_event_is_owed_or_has_ended(self) -> None:
        """G1, G7: and nothing is owed that has ended, so none runs twice."""
        owed = {entry.decode() for entry, _ in self._do(self._redis.xrange(KEYS.inbox(0)))}
        assert owed == self._ledger.owed()
        dead = self._do(self._redis.xlen(KEYS.dead(0)))
        assert dead == len(self._ledger.that_ended("dead"))

    @invariant()
    def every_event_has_taken_effect_once_in_order_or_not_at_all(self) -> None:
        """G2 to G5: state and effects agree, in each source's order, and no writer has lost its field."""
        told = [
            unpack(fields[b"e"])["payload"]["key"]
            for _, fields in self._do(self._redis.xrange(KEYS.outbox(0)))
        ]
        in_state = []
        for to in CONVERSATIONS:
            fields = self._do(self._redis.hgetall(KEYS.conversation(to)))
            order = orjson.loads(fields.get(b"d:order", b"[]"))
            in_state += order
            assert int(fields.get(b"d:outside", 0)) == self._ledger.written[to]
            for source in ("telegram", "stripe"):
                accepted = self._ledger.accepted[to, source]
                assert [key for key in order if key in accepted] == self._ledger.applied(to, source)
        assert sorted(in_state) == sorted(self._ledger.that_ended("applied"))
        assert sorted(told) == sorted(in_state)

    @invariant()
    def the_lease_is_its_holders(self) -> None:
        """At most one worker is right."""
        stored = self._do(self._redis.get(KEYS.lease(0)))
        assert (stored.decode() if stored else None) == self._holder
