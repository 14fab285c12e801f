"""Razorpay: payments authorized, captured, failed and given back; subscriptions."""

from datetime import datetime, timedelta
from typing import Any, Final

from routers.call import Call
from routers.document import Document, find_token
from routers.event import Customer, Event, OtherEvent
from routers.payments.events import (
    PaymentAuthorized,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import razorpay as examples
from routers.payments.subscriptions import (
    SubscriptionCanceled,
    SubscriptionEvent,
    SubscriptionExpired,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionRenewed,
    SubscriptionResumed,
    SubscriptionStarted,
)
from routers.provider import Provider, Translation, digest_key, idempotency_key
from routers.verification import HmacScheme

KIND: Final = "razorpay"

# https://razorpay.com/docs/webhooks/validate-test/: no time is signed, the idempotency key stops a replay.
SIGNATURE: Final = HmacScheme(header="X-Razorpay-Signature")

TRANSLATIONS: Final[dict[str, type[PaymentEvent]]] = {
    "payment.authorized": PaymentAuthorized,
    "payment.captured": PaymentSucceeded,
    "payment.failed": PaymentFailed,
    "refund.processed": PaymentRefunded,
}

# https://razorpay.com/docs/webhooks/subscriptions/: pending and halted wait for a payment that failed.
SUBSCRIPTIONS: Final[dict[str, type[SubscriptionEvent]]] = {
    "subscription.activated": SubscriptionStarted,
    "subscription.charged": SubscriptionRenewed,
    "subscription.pending": SubscriptionPastDue,
    "subscription.halted": SubscriptionPastDue,
    "subscription.paused": SubscriptionPaused,
    "subscription.resumed": SubscriptionResumed,
    "subscription.cancelled": SubscriptionCanceled,
    "subscription.completed": SubscriptionExpired,
}


def translate(call: Call, now: datetime) -> Translation:
    """
    A Razorpay event in our words.

    Its id comes in a header that is not signed; type, payment, time and the bytes' digest are the
    idempotency key instead, so that nobody can replay a call under another id.
    """
    body = Document.from_json(call.body)
    own_type = body.text("event")
    payment = body.find_object("payload", "payment", "entity")
    subscription = body.find_object("payload", "subscription", "entity")
    payment_id, subscription_id = payment.find_text("id"), subscription.find_text("id")
    key = idempotency_key(own_type, payment_id or subscription_id or "", digest_key(call.body))
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": subscription_id or payment_id or key,
        "occurred_at": body.find_time("created_at") or now,
        "customer": Customer(email=payment.find_text("email"), phone=payment.find_text("contact")),
    }
    event: Event
    if subscription_id and own_type in SUBSCRIPTIONS:
        event = _period(SUBSCRIPTIONS[own_type], subscription, payment, common)
    elif payment_id and own_type in TRANSLATIONS:
        event = _step(TRANSLATIONS[own_type], payment, common)
    else:
        event = OtherEvent(type=f"{KIND}.{own_type}", **common)
    token = find_token(payment.find_text("notes", "token"), subscription.find_text("notes", "token"))
    return Translation(key, event, token)


def _period(
    model: type[SubscriptionEvent], subscription: Document, payment: Document, common: dict[str, Any]
) -> SubscriptionEvent:
    facts: dict[str, Any] = {"ends_at": subscription.find_time("current_end")}
    if payment.find_text("id") is not None:
        facts |= {"amount_minor": payment.amount("amount"), "currency": payment.currency("currency")}
    return model(**common, **facts)


def _step(model: type[PaymentEvent], payment: Document, common: dict[str, Any]) -> PaymentEvent:
    # https://razorpay.com/docs/api/payments/entity/: amounts are in the currency's smallest unit.
    amount, currency = payment.amount("amount"), payment.currency("currency")
    if model is PaymentFailed:
        reason = payment.find_text("error_reason")
        return PaymentFailed(**common, amount_minor=amount, currency=currency, reason=reason)
    if model is PaymentRefunded:
        refunded = payment.amount("amount_refunded")
        refund = PaymentRefunded if refunded >= amount else PaymentPartiallyRefunded
        return refund(**common, amount_minor=refunded, currency=currency)
    return model(**common, amount_minor=amount, currency=currency)


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Razorpay sends with *body*; the time is not part of them."""
    return [("Content-Type", "application/json"), *SIGNATURE.sign(body, secret, at)]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # 24 hours of attempts, then the webhook is switched off. The signature holds for ever, so a month.
    remember_for=timedelta(days=31),
    documentation="https://razorpay.com/docs/webhooks/",
    sign=sign,
    examples=examples.EXAMPLES,
)
