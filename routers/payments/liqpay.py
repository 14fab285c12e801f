"""LiqPay: payments made, held, failed, given back."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import Customer, Event, OtherEvent
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
from routers.payments.examples import liqpay as examples
from routers.provider import Provider, Translation, idempotency_key
from routers.sent import Sent
from routers.verification import FieldScheme, SignatureEncoding, form_fields

KIND: Final = "liqpay"
DOCUMENTATION: Final = "https://www.liqpay.ua/documentation/api/callback"

# https://www.liqpay.ua/documentation/api/callback: the final statuses, and those of a payment on its way.
STATUSES: Final[Mapping[str, type[PaymentEvent]]] = {
    "success": PaymentSucceeded,
    "sandbox": PaymentSucceeded,
    "hold_wait": PaymentAuthorized,
    "processing": PaymentPending,
    "wait_accept": PaymentPending,
    "wait_secure": PaymentPending,
    "failure": PaymentFailed,
    "error": PaymentFailed,
    "reversed": PaymentRefunded,
    "try_again": PaymentFailed,
    "unsubscribed": PaymentCanceled,
}


def signed_text(fields: Mapping[str, str], private_key: bytes) -> bytes:
    """
    The data between twice the private key.

    https://github.com/liqpay/sdk-python/blob/master/liqpay/liqpay3.py
    """
    return private_key + fields.get("data", "").encode() + private_key


SIGNATURE: Final = FieldScheme(
    "signature", signed_text, fields=form_fields, digest="sha1", encoding=SignatureEncoding.BASE64
)


def translate(call: Call, now: datetime) -> Translation:
    """
    A callback in our words.

    It has no id: payment and status are the idempotency key.
    """
    try:
        data = base64.b64decode(Document.from_form(call).text("data"), validate=True)
    except ValueError as error:
        raise Unreadable("data") from error
    body = Document.from_literals(data)
    status = body.text("status")
    order_id = body.text("order_id")
    payment_id = body.find_literal("payment_id") or ""
    common = {
        "provider": KIND,
        "object_id": order_id,
        "occurred_at": now,
        "test_mode": status == "sandbox",
        "customer": Customer(phone=body.find_text("sender_phone")),
    }
    model = STATUSES.get(status)
    # The same statuses tell of payouts and subscriptions, which are other things.
    if body.find_text("action") not in {None, "pay", "hold", "paydonate"}:
        model = None
    event: Event
    if model is None:
        event = OtherEvent(type=f"{KIND}.{status}", **common)
    else:
        currency = body.currency("currency")
        facts = {"reason": body.find_text("err_code")} if model is PaymentFailed else {}
        amount = minor_units(body.literal("amount"), currency)
        event = model(amount_minor=amount, currency=currency, **common, **facts)
    token = find_token(order_id, body.find_text("info"))
    return Translation(idempotency_key(order_id, payment_id, status), event, token)


def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - no time, no address is signed
    """The form with the body as its data, and the signature."""
    fields = {"data": base64.b64encode(sent.body).decode()}
    fields["signature"] = SIGNATURE.signature_of(fields, secret)
    return Sent(urlencode(fields).encode(), (("Content-Type", "application/x-www-form-urlencoded"),))


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # How long it repeats is not said. The signature holds for ever, so a month.
    remember_for=timedelta(days=31),
    documentation=DOCUMENTATION,
    rewrite=rewrite,
    examples=examples.EXAMPLES,
)
