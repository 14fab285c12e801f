"""How often a failing handler runs, and how long it waits in between."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from state.envelope import Envelope

_MONEY: Final = ("payment.", "subscription.")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failing handler runs, and how long it waits in between."""

    attempts: int
    first_delay: timedelta
    longest_delay: timedelta

    def delay(self, attempts: int) -> timedelta:
        """Return the wait after that many runs: doubled each time, spread by a quarter."""
        doubled = self.first_delay * 2 ** min(attempts - 1, 30)
        spread: float = random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        return timedelta(seconds=min(doubled, self.longest_delay).total_seconds() * spread)


@dataclass(frozen=True, slots=True)
class Retries:
    """The policy of each class of events."""

    chat: RetryPolicy
    payments: RetryPolicy
    other: RetryPolicy

    def of(self, envelope: Envelope) -> RetryPolicy:
        """Return the policy of the class that *envelope* belongs to."""
        if envelope.source.startswith("telegram:"):
            return self.chat
        return self.payments if envelope.type.startswith(_MONEY) else self.other
