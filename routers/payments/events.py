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

    @property
    def is_final(self) -> bool:
        """Tell whether the payment has ended with this: paid, or not to be paid any more."""
        return (self.rank or 0) >= PaymentCanceled.level * RANK_STEP


class PaymentPending(PaymentEvent):
    """The payer has done their part; the money is on its way."""

    level = 1
    type: Literal["payment.pending"] = "payment.pending"


class PaymentFailed(PaymentEvent):
    """An attempt failed. The payer may try again: every further step still counts."""

    level = 2
    repeats = True
    type: Literal["payment.failed"] = "payment.failed"
    reason: str | None = None


class PaymentPromised(PaymentEvent):
    """A step that a feature may act upon as money: it must be what was expected."""

    def checked(self, amount_minor: int, currency: str) -> "PaymentPromised | PaymentMismatched":
        """Return this event if it is over exactly what was expected, else the mismatch that it is."""
        if (self.amount_minor, self.currency) == (amount_minor, currency.upper()):
            return self
        facts = {name: getattr(self, name) for name in Event.model_fields if name != "type"}
        return PaymentMismatched(
            **facts,
            amount_minor=self.amount_minor,
            currency=self.currency,
            expected_amount_minor=amount_minor,
            expected_currency=currency.upper(),
            instead_of="payment.authorized" if self.level == PaymentAuthorized.level else "payment.succeeded",
        )


class PaymentAuthorized(PaymentPromised):
    """The money is reserved and waits for its capture."""

    level = 3
    type: Literal["payment.authorized"] = "payment.authorized"


class PaymentCanceled(PaymentEvent):
    """Nothing will be paid any more."""

    level = 4
    type: Literal["payment.canceled"] = "payment.canceled"
    reason: str | None = None


class PaymentSucceeded(PaymentPromised):
    """The money is there."""

    level = 5
    type: Literal["payment.succeeded"] = "payment.succeeded"


class PaymentMismatched(PaymentEvent):
    """
    Money came, or is reserved, but another amount or currency than was expected. It never counts as paid.

    *instead_of* is what it would have been.
    """

    level = 5
    type: Literal["payment.mismatched"] = "payment.mismatched"
    expected_amount_minor: int
    expected_currency: Currency
    instead_of: Literal["payment.authorized", "payment.succeeded"] = "payment.succeeded"

    @property
    def rank(self) -> int | None:
        """Return the level of what it would have been."""
        level = PaymentAuthorized.level if self.instead_of == "payment.authorized" else self.level
        return level * RANK_STEP


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

    def checked(self, amount_minor: int, currency: str) -> "PaymentPartiallyRefunded | PaymentRefunded":
        """Return this event, or, if all that was expected went back, the refund of the whole that it is."""
        if self.amount_minor < amount_minor or self.currency != currency.upper():
            return self
        facts = {name: getattr(self, name) for name in Event.model_fields if name != "type"}
        return PaymentRefunded(**facts, amount_minor=self.amount_minor, currency=self.currency)


class PaymentRefunded(PaymentEvent):
    """All of the money went back."""

    level = 7
    type: Literal["payment.refunded"] = "payment.refunded"


class PaymentDisputed(PaymentEvent):
    """The payer's bank wants the money back."""

    level = 8
    type: Literal["payment.disputed"] = "payment.disputed"
    reason: str | None = None


class PaymentCheck(PaymentEvent):
    """
    The provider asks, before it takes the money, whether it may.

    It is answered at once and kept nowhere: `Feature.decide` says yes or no.
    """

    type: Literal["payment.check"] = "payment.check"

    @property
    def rank(self) -> int | None:
        """Return no rank: a question has no place among the steps."""
        return None


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
