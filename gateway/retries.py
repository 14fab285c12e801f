"""How often a failing handler runs, and how long it waits in between."""

import random
from dataclasses import dataclass
from datetime import timedelta


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


#: A person waits: a broken handler must not freeze the chat for long.
CHAT_RETRIES = RetryPolicy(4, timedelta(seconds=0.5), timedelta(seconds=10))
#: Money waits: a payment is tried for about a day.
EXTERNAL_RETRIES = RetryPolicy(20, timedelta(seconds=1), timedelta(hours=2))
