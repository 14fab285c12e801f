"""`[retries]`: how often a failing handler runs again, and how long it waits in between."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from gateway.retries import Retries, RetryPolicy
from gateway.settings.section import Section

Attempts = Annotated[int, Field(ge=1, le=1000)]
FirstSeconds = Annotated[float, Field(gt=0, le=86_400)]
LongestSeconds = Annotated[float, Field(gt=0, le=604_800)]


class ChatRetries(Section):
    """Each wait is twice the one before, spread by a quarter; then the event is a dead letter."""

    attempts: Attempts = 4
    """Runs of the handler in all, those counted in which its process died."""
    first_seconds: FirstSeconds = 0.5
    longest_seconds: LongestSeconds = 10

    @model_validator(mode="after")
    def _grows(self) -> "ChatRetries":
        if self.first_seconds > self.longest_seconds:
            raise ValueError("first_seconds must be at most longest_seconds")
        return self

    @property
    def policy(self) -> RetryPolicy:
        first, longest = timedelta(seconds=self.first_seconds), timedelta(seconds=self.longest_seconds)
        return RetryPolicy(self.attempts, first, longest)


class PaymentRetries(ChatRetries):
    attempts: Attempts = 25
    first_seconds: FirstSeconds = 1
    longest_seconds: LongestSeconds = 7200


class OtherRetries(ChatRetries):
    attempts: Attempts = 16
    first_seconds: FirstSeconds = 1
    longest_seconds: LongestSeconds = 1800


class RetriesSettings(Section):
    chat: ChatRetries = ChatRetries()
    """Updates of a chat: a person waits, and a broken handler must not freeze the chat for long."""
    payments: PaymentRetries = PaymentRetries()
    """Payments, refunds and subscriptions: tried for about a day."""
    other: OtherRetries = OtherRetries()
    """Bookings, timers, your own services: tried for two hours and a half."""

    @property
    def policies(self) -> Retries:
        return Retries(self.chat.policy, self.payments.policy, self.other.policy)
