"""Square: payments, and bookings of Square Appointments through the same subscription."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from routers.bookings.square_bookings import translate_booking
from routers.call import Call
from routers.document import Document, find_token
from routers.event import Customer, Event, OtherEvent
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import square as examples
from routers.provider import Provider, Translation, idempotency_key
from routers.sent import Sent
from routers.verification import HmacScheme, SignatureEncoding

KIND: Final = "square"

# https://developer.squareup.com/docs/webhooks/step3validate: the address as it is set in Square, then the
# raw body. No time is signed, the idempotency key stops a replay.
SIGNATURE: Final = HmacScheme(
    header="x-square-hmacsha256-signature", signed="{url}{body}", encoding=SignatureEncoding.BASE64
)

# https://developer.squareup.com/reference/square/objects/Payment, "status"
STATUS: Final[dict[str, type[PaymentEvent]]] = {
    "PENDING": PaymentPending,
    "APPROVED": PaymentAuthorized,
    "COMPLETED": PaymentSucceeded,
    "CANCELED": PaymentCanceled,
    "FAILED": PaymentFailed,
}


def translate(call: Call, now: datetime) -> Translation:
    """
    A Square event in our words; its `event_id` is the idempotency key.

    `payment.created` and `payment.updated` both carry the payment as it is, so its status decides and the
    rank lets each step act once. Refunds are told by the payment, with their sum; `refund.*` keep their type.
    """
    body = Document.from_json(call.body)
    event_id, own_type = body.text("event_id"), body.text("type")
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": body.find_text("data", "id") or event_id,
        "occurred_at": body.find_time("created_at") or now,
    }
    payment, booking = (
        body.find_object("data", "object", "payment"),
        body.find_object("data", "object", "booking"),
    )
    event: Event | None = None
    if own_type in {"payment.created", "payment.updated"}:
        event = _payment(payment, common)
    elif own_type in {"booking.created", "booking.updated"}:
        event = translate_booking(booking, moved=own_type == "booking.updated", common=common)
    token = find_token(
        payment.find_text("reference_id"),
        payment.find_text("note"),
        booking.find_text("customer_note"),
        booking.find_text("seller_note"),
    )
    return Translation(
        idempotency_key(event_id), event or OtherEvent(type=f"{KIND}.{own_type}", **common), token
    )


def _payment(payment: Document, common: dict[str, Any]) -> PaymentEvent | None:
    model = STATUS.get(payment.find_text("status") or "")
    payment_id = payment.find_text("id")
    if model is None or payment_id is None:
        return None
    # https://developer.squareup.com/reference/square/objects/Money: the smallest denomination. A tip and a
    # surcharge are in `total_money`, not in what was asked for.
    facts: dict[str, Any] = {
        **common,
        "object_id": payment_id,
        "customer": Customer(email=payment.find_text("buyer_email_address")),
        "amount_minor": payment.amount("amount_money", "amount"),
        "currency": payment.currency("amount_money", "currency"),
    }
    refunded = payment.find_integer("refunded_money", "amount") or 0
    if model is PaymentSucceeded and refunded > 0:
        whole = refunded >= payment.amount("total_money", "amount")
        return (PaymentRefunded if whole else PaymentPartiallyRefunded)(**{**facts, "amount_minor": refunded})
    if model is PaymentFailed:
        errors = payment.find_objects("card_details", "errors")
        return PaymentFailed(**facts, reason=errors[0].find_text("code") if errors else None)
    return model(**facts)


def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:
    """The request with the signature that Square sends to *url*; the time is not part of it."""
    headers = (("Content-Type", "application/json"), *SIGNATURE.sign(sent.body, secret, at, url=url))
    return replace(sent, headers=headers)


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # https://developer.squareup.com/docs/webhooks/overview: 24 hours of attempts. The signature holds for
    # ever, so a month.
    remember_for=timedelta(days=31),
    documentation="https://developer.squareup.com/docs/webhooks/overview",
    rewrite=rewrite,
    examples=examples.EXAMPLES,
)
