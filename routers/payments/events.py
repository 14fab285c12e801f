"""What can happen to a payment. Amounts are integers of the currency's minor unit."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from routers.event import RANK_STEP, Event

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,10}$")]


class PaymentEvent(Event):
    """
    One step of one payment, the *object_id*.

    *amount_minor* is the amount that this step is about: what was paid, asked for, disputed or, for refunds,
    given back in all so far (in this refund alone where *refund_id* is set).
    """

    level: ClassVar[int] = 0

    amount_minor: int = Field(ge=0)
    currency: Currency

    @property
    def rank(self) -> int | None:
        """Return the level of the status: money only moves forward."""
        return self.level * RANK_STEP


class PaymentPending(PaymentEvent):
    """The payer has done their part; the money is on its way."""

    level = 1
    type: Literal["payment.pending"] = "payment.pending"


class PaymentFailed(PaymentEvent):
    """An attempt failed. The payer may try again: every further step still counts."""

    level = 2
    type: Literal["payment.failed"] = "payment.failed"
    reason: str | None = None


class PaymentAuthorized(PaymentEvent):
    """The money is reserved and waits for its capture."""

    level = 3
    type: Literal["payment.authorized"] = "payment.authorized"


class PaymentCanceled(PaymentEvent):
    """Nothing will be paid any more."""

    level = 4
    type: Literal["payment.canceled"] = "payment.canceled"
    reason: str | None = None


class PaymentSucceeded(PaymentEvent):
    """The money is there."""

    level = 5
    type: Literal["payment.succeeded"] = "payment.succeeded"

    def checked(self, amount_minor: int, currency: str) -> "PaymentSucceeded | PaymentMismatched":
        """Return this event if it pays exactly what was expected, else the mismatch that it is."""
        if (self.amount_minor, self.currency) == (amount_minor, currency.upper()):
            return self
        facts = {name: getattr(self, name) for name in type(self).model_fields if name != "type"}
        return PaymentMismatched(
            **facts, expected_amount_minor=amount_minor, expected_currency=currency.upper()
        )


class PaymentMismatched(PaymentEvent):
    """Money came, but another amount or currency than was expected. It never counts as paid."""

    level = 5
    type: Literal["payment.mismatched"] = "payment.mismatched"
    expected_amount_minor: int
    expected_currency: Currency


class PaymentPartiallyRefunded(PaymentEvent):
    """
    Part of the money went back: *amount_minor* in all so far.

    With *refund_id*, the provider tells only of this refund: *amount_minor* is its own amount.
    """

    level = 6
    type: Literal["payment.partially_refunded"] = "payment.partially_refunded"
    refund_id: str | None = None

    @property
    def rank(self) -> int | None:
        """Return the level and, so that each part counts, the amount so far; None for single refunds."""
        if self.refund_id is not None:
            return None
        return self.level * RANK_STEP + min(self.amount_minor, RANK_STEP - 1)


class PaymentRefunded(PaymentEvent):
    """All of the money went back."""

    level = 7
    type: Literal["payment.refunded"] = "payment.refunded"


class PaymentDisputed(PaymentEvent):
    """The payer's bank wants the money back."""

    level = 8
    type: Literal["payment.disputed"] = "payment.disputed"
    reason: str | None = None


PAYMENT_EVENTS: tuple[type[PaymentEvent], ...] = (
    PaymentPending,
    PaymentFailed,
    PaymentAuthorized,
    PaymentCanceled,
    PaymentSucceeded,
    PaymentMismatched,
    PaymentPartiallyRefunded,
    PaymentRefunded,
    PaymentDisputed,
)
