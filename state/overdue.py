"""Payments that should have ended: when their providers are to be asked about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from state.changes import asked
from state.grouping import Argument, GroupedCalls, Script
from state.keys import Keys

_ASK_TURN: Final = Script.load("ask_turn", after=["clock"])

#: However often a payment was asked about, it is asked about so often.
LONGEST_WAIT: Final = timedelta(days=1)
#: Of one partition, in one look.
MOST_AT_ONCE: Final = 100


class Turn(Enum):
    """Whether it is ours to ask about one payment now."""

    TAKEN = b"TAKEN"
    WAITS = b"WAITS"
    """It is not due, or another process asks."""
    ENDED = b"ENDED"
    """Nothing is expected any more."""


@dataclass(frozen=True, slots=True)
class OverduePayment:
    """What is expected under *token* should have ended; *source* is to be asked."""

    partition: int
    source: str
    token: str


class Overdue:
    """The payments that should have ended, shared by all processes."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def due(self, partition: int, now_ms: int) -> Sequence[OverduePayment]:
        """
        Return those of *partition* that are due, the longest due first.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        members = await self._calls.command(
            *("ZRANGE", self._keys.overdue(partition), "-inf", now_ms, "BYSCORE", "LIMIT", 0, MOST_AT_ONCE)
        )
        pairs = (member.decode().rpartition(" ") for member in members)
        return [OverduePayment(partition, source, token) for source, _, token in pairs]

    async def take(self, payment: OverduePayment, *, again_after: timedelta) -> Turn:
        """
        Take the turn to ask about *payment*. The next one comes after *again_after*, the one after that after
        twice as long, and so on.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        keys = self._keys
        names = [keys.overdue(payment.partition), keys.expectation(payment.partition, payment.token)]
        arguments: list[Argument] = [
            asked(payment.source, payment.token),
            max(1, int(again_after.total_seconds() * 1000)),
            int(LONGEST_WAIT.total_seconds() * 1000),
        ]
        return Turn(await self._calls.script(_ASK_TURN, names, arguments))

    async def end(self, payment: OverduePayment) -> None:
        """
        Have nobody ask about *payment* any more.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        member = asked(payment.source, payment.token)
        await self._calls.command("ZREM", self._keys.overdue(payment.partition), member)
