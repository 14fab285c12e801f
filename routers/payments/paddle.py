"""Paddle Billing: transactions, adjustments (refunds and chargebacks), subscriptions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from routers.call import Call
from routers.document import Document, find_token
from routers.event import Event, OtherEvent
from routers.payments.currency import minor_units
from routers.payments.events import (
    PaymentCanceled,
    PaymentDisputed,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import paddle as examples
from routers.payments.subscriptions import (
    SubscriptionCanceled,
    SubscriptionEvent,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionRenewed,
    SubscriptionResumed,
    SubscriptionStarted,
)
from routers.provider import Provider, Translation, idempotency_key
from routers.verification import HmacScheme, Pairs

KIND: Final = "paddle"

# https://developer.paddle.com/webhooks/about/signature-verification: Paddle's libraries allow five seconds,
# which our clock and its retries in the network do not always keep: thirty, both ways.
SIGNATURE: Final = HmacScheme(
    header="Paddle-Signature",
    form=Pairs(separator=";", timestamp="ts", signature="h1"),
    signed="{timestamp}:{body}",
    tolerance=timedelta(seconds=30),
)

Facts = tuple[type[Event] | None, dict[str, Any]]


def translate(call: Call, now: datetime) -> Translation:
    """
    A Paddle event in our words; its `event_id` is the idempotency key.

    Raises:
        Unreadable: no event of Paddle's.
    """
    body = Document.from_json(call.body)
    event_id, own_type = body.text("event_id"), body.text("event_type")
    subject = body.find_object("data")
    subject_id = subject.find_text("id")
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": subject_id or event_id,
        "occurred_at": body.find_time("occurred_at") or now,
    }
    translated = TRANSLATIONS.get(own_type) if subject_id else None
    model, facts = (None, {}) if translated is None else translated(subject)
    event = OtherEvent(type=f"{KIND}.{own_type}", **common) if model is None else model(**{**common, **facts})
    token = find_token(subject.find_text("custom_data", "token"))
    return Translation(idempotency_key(event_id), event, token)


def _money(subject: Document, *amount_path: str) -> dict[str, Any]:
    # https://developer.paddle.com/api-reference/about/data-types#amounts: the lowest denomination, as text.
    currency = subject.currency("currency_code")
    return {
        "amount_minor": minor_units(subject.text(*amount_path), currency, decimals=0),
        "currency": currency,
    }


def _transaction_completed(transaction: Document) -> Facts:
    money = _money(transaction, "details", "totals", "grand_total")
    subscription = transaction.find_text("subscription_id")
    # https://developer.paddle.com/webhooks/transactions/transaction-completed, "origin"
    if subscription and transaction.find_text("origin") == "subscription_recurring":
        ends_at = transaction.find_time("billing_period", "ends_at")
        return SubscriptionRenewed, {**money, "object_id": subscription, "ends_at": ends_at}
    return PaymentSucceeded, money


def _transaction_failed(transaction: Document) -> Facts:
    # https://developer.paddle.com/api-reference/transactions/overview, "payments": the newest comes first.
    attempts = transaction.find_objects("payments")
    reason = attempts[0].find_text("error_code") if attempts else None
    return PaymentFailed, {**_money(transaction, "details", "totals", "grand_total"), "reason": reason}


def _transaction(model: type[Event]) -> Callable[[Document], Facts]:
    return lambda transaction: (model, _money(transaction, "details", "totals", "grand_total"))


def _adjustment(adjustment: Document) -> Facts:
    # https://developer.paddle.com/api-reference/adjustments/overview: a refund waits for its approval, and
    # tells its own amount only.
    action, status = adjustment.find_text("action"), adjustment.find_text("status")
    if status != "approved" or action not in {"refund", "chargeback"}:
        return None, {}
    transaction = adjustment.text("transaction_id")
    facts = {**_money(adjustment, "totals", "total"), "object_id": transaction}
    if action == "chargeback":
        return PaymentDisputed, facts
    if adjustment.find_text("type") == "full":
        return PaymentRefunded, facts
    return PaymentPartiallyRefunded, {**facts, "refund_id": adjustment.text("id")}


def _subscription(model: type[SubscriptionEvent]) -> Callable[[Document], Facts]:
    def facts(subscription: Document) -> Facts:
        return model, {"ends_at": subscription.find_time("current_billing_period", "ends_at")}

    return facts


# https://developer.paddle.com/webhooks/overview
TRANSLATIONS: Final[dict[str, Callable[[Document], Facts]]] = {
    # Paid, and not yet done with at Paddle; completed is what to fulfil on.
    "transaction.paid": _transaction(PaymentPending),
    "transaction.completed": _transaction_completed,
    "transaction.payment_failed": _transaction_failed,
    "transaction.canceled": _transaction(PaymentCanceled),
    "adjustment.created": _adjustment,
    "adjustment.updated": _adjustment,
    "subscription.activated": _subscription(SubscriptionStarted),
    "subscription.trialing": _subscription(SubscriptionStarted),
    "subscription.past_due": _subscription(SubscriptionPastDue),
    "subscription.paused": _subscription(SubscriptionPaused),
    "subscription.resumed": _subscription(SubscriptionResumed),
    "subscription.canceled": _subscription(SubscriptionCanceled),
}


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Paddle sends with *body*."""
    return [("Content-Type", "application/json"), *SIGNATURE.sign(body, secret, at)]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # https://developer.paddle.com/webhooks/respond-to-webhooks: 60 attempts in three days; by hand later.
    remember_for=timedelta(days=31),
    documentation="https://developer.paddle.com/webhooks/overview",
    sign=sign,
    examples=examples.EXAMPLES,
)
