"""Events that come later by themselves: set, replaced and cancelled together with a change of state."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from state import values
from state.changes import TimerSetting
from state.conversation import Conversation
from state.envelope import Envelope
from state.grouping import Argument, GroupedCalls, Script
from state.keys import Keys
from state.outcomes import Fired
from state.scripts import Scripts
from state.snapshot import pairs

#: What a timer's event calls its source. No configured source has a colon in its name.
SOURCE = "gateway:timer"
_FIRE = Script.load("fire", after=["timers"], when_full=True)


@dataclass(frozen=True, slots=True)
class Timer:
    """An event of *type* that is due at a time; of each *name* a conversation has one at most."""

    name: str
    type: str
    due_at_ms: int
    data: Mapping[str, Any] = field(default_factory=dict)
    cancel_on_leave: bool = False
    """It is cancelled when the state that it was set in is left."""

    def setting(self) -> TimerSetting:
        """
        Return it as a part of a change.

        Raises:
            TypeError: its data has no JSON form.
        """
        body = values.dump({"name": self.name, "data": dict(self.data)})
        envelope = Envelope(SOURCE, self.type, secrets.token_hex(16), self.due_at_ms, body)
        return TimerSetting(self.name, self.due_at_ms, envelope.pack(), self.cancel_on_leave)


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer whose time has come."""

    conversation: Conversation
    name: str


class Timers:
    """Finds the timers that are due and moves them into the inbox, each once."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    @property
    def _calls(self) -> GroupedCalls:
        return self._scripts.calls

    @property
    def _keys(self) -> Keys:
        return self._scripts.keys

    async def next_due_ms(self, partition: int) -> int | None:
        """
        Return when the first timer of *partition* is due.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        first = await self._calls.command("ZRANGE", self._keys.timers(partition), 0, 0, "WITHSCORES")
        return next((int(due_ms) for due_ms in pairs(first).values()), None)

    async def due(self, partition: int, now_ms: int, count: int) -> Sequence[DueTimer]:
        """
        Return up to *count* timers that are due, the oldest first.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        members = await self._calls.command(
            "ZRANGEBYSCORE", self._keys.timers(partition), "-inf", now_ms, "LIMIT", 0, count
        )
        return [_parse(member.decode()) for member in members]

    async def fire(self, lease: str, timer: DueTimer, now_ms: int) -> Fired:
        """
        Move *timer* into the inbox, if it is still due and the lease is still ours.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        conversation, partition = timer.conversation, self._keys.partition_of(timer.conversation)
        names = [
            self._keys.lease(partition),
            self._keys.timers(partition),
            self._keys.timers_of(conversation),
            self._keys.inbox(partition),
        ]
        arguments: list[Argument] = [lease, conversation.encode(), timer.name, now_ms]
        return Fired(await self._calls.script(_FIRE, names, arguments))

    async def pending(self, conversation: Conversation) -> dict[str, int]:
        """
        Return the names of the timers that *conversation* waits for, and when each is due, in ms.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        names = await self._calls.command("HKEYS", self._keys.timers_of(conversation))
        timers = self._keys.timers(self._keys.partition_of(conversation))
        due = {}
        for name in (name.decode() for name in names if not name.startswith(b">")):
            score = await self._calls.command("ZSCORE", timers, f"{conversation.encode()} {name}")
            if score is not None:
                due[name] = int(score)
        return due


def _parse(member: str) -> DueTimer:
    conversation, _, name = member.partition(" ")
    return DueTimer(Conversation.decode(conversation), name)
