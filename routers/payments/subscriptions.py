"""What can happen to a subscription."""

from datetime import datetime
from typing import ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from routers.event import Event
from routers.payments.events import Currency

LEVELS: Final = 16


class SubscriptionEvent(Event):
    """
    One step of one subscription, the *object_id*.

    *amount_minor* is what this step took, where the provider tells it; *ends_at* is how long what is paid for
    lasts.
    """

    level: ClassVar[int] = 0

    amount_minor: int | None = Field(default=None, ge=0)
    currency: Currency | None = None
    ends_at: datetime | None = None

    @property
    def rank(self) -> int | None:
        """Return the time, as steps recur, and the level within one millisecond; a late step is ignored."""
        return max(0, int(self.occurred_at.timestamp() * 1000)) * LEVELS + self.level

    @model_validator(mode="after")
    def _an_amount_has_a_currency(self) -> Self:
        if (self.amount_minor is None) != (self.currency is None):
            raise ValueError("amount_minor and currency come together")
        return self


class SubscriptionStarted(SubscriptionEvent):
    """It runs, on trial or paid for."""

    level = 1
    type: Literal["subscription.started"] = "subscription.started"


class SubscriptionResumed(SubscriptionEvent):
    """It runs again, after a pause, a missing payment or a cancellation that was taken back."""

    level = 2
    type: Literal["subscription.resumed"] = "subscription.resumed"


class SubscriptionRenewed(SubscriptionEvent):
    """A further period is paid for."""

    level = 3
    type: Literal["subscription.renewed"] = "subscription.renewed"


class SubscriptionPastDue(SubscriptionEvent):
    """A payment is missing; the provider tries again."""

    level = 4
    type: Literal["subscription.past_due"] = "subscription.past_due"


class SubscriptionPaused(SubscriptionEvent):
    """It rests, and nothing is charged."""

    level = 5
    type: Literal["subscription.paused"] = "subscription.paused"


class SubscriptionCanceled(SubscriptionEvent):
    """It will not be renewed; what is paid for lasts until *ends_at*."""

    level = 6
    type: Literal["subscription.canceled"] = "subscription.canceled"


class SubscriptionExpired(SubscriptionEvent):
    """It is over."""

    level = 7
    type: Literal["subscription.expired"] = "subscription.expired"


SUBSCRIPTION_EVENTS: tuple[type[SubscriptionEvent], ...] = (
    SubscriptionStarted,
    SubscriptionResumed,
    SubscriptionRenewed,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionCanceled,
    SubscriptionExpired,
)
