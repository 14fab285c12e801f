"""Razorpay: payments authorized, captured, failed and given back."""

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


def translate(call: Call, now: datetime) -> Translation:
    """
    A Razorpay event in our words.

    Its id comes in a header that is not signed; type, payment, time and the bytes' digest are the
    idempotency key instead, so that nobody can replay a call under another id.
    """
    body = Document.from_json(call.body)
    own_type = body.text("event")
    payment = body.find_object("payload", "payment", "entity")
    payment_id = payment.find_text("id")
    key = idempotency_key(own_type, payment_id or "", digest_key(call.body))
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": payment_id or key,
        "occurred_at": body.find_time("created_at") or now,
        "customer": Customer(email=payment.find_text("email"), phone=payment.find_text("contact")),
    }
    model = TRANSLATIONS.get(own_type) if payment_id else None
    event: Event = (
        OtherEvent(type=f"{KIND}.{own_type}", **common) if model is None else _step(model, payment, common)
    )
    return Translation(key, event, find_token(payment.find_text("notes", "token")))


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
