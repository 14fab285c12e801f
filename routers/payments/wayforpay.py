"""WayForPay: payments approved, held, declined, given back."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import orjson

from routers.call import Call
from routers.document import Document, find_token
from routers.event import Customer, Event, OtherEvent
from routers.literal_json import canonical, parse_literal
from routers.payments.currency import minor_units
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentEvent,
    PaymentFailed,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import wayforpay as examples
from routers.provider import Answer, Provider, Received, Translation, idempotency_key
from routers.refusal import Refused
from routers.sent import Sent
from routers.verification import FieldScheme, joined, json_scalars, usable

KIND: Final = "wayforpay"
DOCUMENTATION: Final = "https://wiki.wayforpay.com/en/view/852102"

# https://wiki.wayforpay.com/en/view/852102: these values, joined by semicolons, by HMAC-MD5.
SIGNED: Final = (
    "merchantAccount",
    "orderReference",
    "amount",
    "currency",
    "authCode",
    "cardPan",
    "transactionStatus",
    "reasonCode",
)
SIGNATURE: Final = FieldScheme(
    "merchantSignature", joined(";", SIGNED), fields=json_scalars, digest="md5", keyed=True
)

STATUSES: Final[Mapping[str, type[PaymentEvent]]] = {
    "Approved": PaymentSucceeded,
    "WaitingAuthComplete": PaymentAuthorized,
    "InProcessing": PaymentPending,
    "Pending": PaymentPending,
    "Declined": PaymentFailed,
    "Expired": PaymentCanceled,
    "Voided": PaymentCanceled,
    "Refunded": PaymentRefunded,
}


def translate(call: Call, now: datetime) -> Translation:
    """
    A callback in our words.

    It has no id: order, status and time of processing are the idempotency key; the time tells two declined
    attempts apart.
    """
    body = Document.from_literals(call.content)
    order, status = body.text("orderReference"), body.text("transactionStatus")
    common = {
        "provider": KIND,
        "object_id": order,
        "occurred_at": body.find_time("processingDate") or now,
        "customer": Customer(email=body.find_text("email"), phone=body.find_text("phone")),
    }
    model = STATUSES.get(status)
    event: Event
    if model is None:
        event = OtherEvent(type=f"{KIND}.{status}", **common)
    else:
        currency = body.currency("currency")
        facts = {"reason": body.find_text("reason")} if model is PaymentFailed else {}
        amount = minor_units(body.literal("amount"), currency)
        event = model(amount_minor=amount, currency=currency, **common, **facts)
    key = idempotency_key(order, status, body.find_literal("processingDate") or "")
    return Translation(key, event, find_token(order))


def answer(received: Received) -> Answer:
    """
    The order, `accept`, the time, and a signature over the three: without it WayForPay comes again.

    https://wiki.wayforpay.com/en/view/852102
    """
    try:
        order = json_scalars(received.call).get("orderReference", "")
        secret = usable(received.secrets, received.now)[0]
    except Refused:
        return Answer()
    time = int(received.now.timestamp())
    signature = hmac.digest(secret, f"{order};accept;{time}".encode(), "md5").hex()
    return Answer(
        orjson.dumps({"orderReference": order, "status": "accept", "time": time, "signature": signature})
    )


def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - no time, no address is signed
    """The callback with its signature."""
    fields = json_scalars(sent.as_call())
    body = {**parse_literal(sent.body), "merchantSignature": SIGNATURE.signature_of(fields, secret)}
    return Sent(canonical(body), (("Content-Type", "application/json"),))


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # How long it repeats is not said. The signature holds for ever, so a month.
    remember_for=timedelta(days=31),
    documentation=DOCUMENTATION,
    answer=answer,
    rewrite=rewrite,
    examples=examples.EXAMPLES,
)
