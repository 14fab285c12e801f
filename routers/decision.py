"""What a provider is told that asks before it takes the money."""

from enum import Enum
from typing import Protocol

from routers.payments.events import PaymentCheck


class Decision(Enum):
    """Whether the payment may be made; all but the first decline it."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    """Nobody waits for it: it carries no token, or none that is known (any more)."""
    MISMATCHED = "mismatched"
    """Another amount or currency is expected."""
    DECLINED = "declined"
    """The feature said no, or failed."""
    LATE = "late"
    """The feature did not answer within the budget."""


class Decider(Protocol):
    """Who knows what is expected, and asks the feature."""

    async def decide(self, check: PaymentCheck, token: str | None) -> Decision:
        """Decide about *check*, in bounded time and without an exception."""


class NobodyDecides:
    """Stands where no bot runs: every payment is declined."""

    async def decide(self, check: PaymentCheck, token: str | None) -> Decision:  # noqa: ARG002 - the protocol's
        """Decline."""
        return Decision.DECLINED
