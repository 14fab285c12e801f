"""NOWPayments: payments in cryptocurrencies, priced in any currency."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from routers.call import Call
from routers.document import Document, find_token
from routers.event import Event, OtherEvent
from routers.literal_json import canonical, parse_literal
from routers.payments.assets import decimals_of
from routers.payments.currency import minor_units
from routers.payments.events import (
    PaymentCanceled,
    PaymentEvent,
    PaymentFailed,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import nowpayments as examples
from routers.provider import Provider, Translation, idempotency_key
from routers.refusal import RefusalReason, Refused
from routers.verification import HmacScheme

KIND: Final = "nowpayments"
DOCUMENTATION: Final = "https://documenter.getpostman.com/view/7907941/2s93JusNJt"

STATUSES: Final[Mapping[str, type[PaymentEvent]]] = {
    "confirming": PaymentPending,
    "confirmed": PaymentPending,
    "sending": PaymentPending,
    "finished": PaymentSucceeded,
    "failed": PaymentFailed,
    "expired": PaymentCanceled,
    "refunded": PaymentRefunded,
}


def signed_body(body: bytes) -> bytes:
    """
    The JSON with its keys sorted on every level, as NOWPayments signs it.

    Numbers stay as they came: the sender writes 1e-8 where Python would write 1e-08.
    """
    try:
        return canonical(parse_literal(body))
    except ValueError:
        raise Refused(RefusalReason.BODY_MALFORMED, "not JSON") from None


SIGNATURE: Final = HmacScheme(header="x-nowpayments-sig", digest="sha512", signed_body=signed_body)


def translate(call: Call, now: datetime) -> Translation:
    """
    A notification in our words; the amount is the price that was agreed on, not the coins.

    It has no id: payment and status are the idempotency key. Of a payment that is partly made each new sum
    counts, under NOWPayments' own name: it is no success.
    """
    body = Document.from_literals(call.content)
    payment_id, status = body.literal("payment_id"), body.text("payment_status")
    common = {"provider": KIND, "object_id": payment_id, "occurred_at": now}
    model = STATUSES.get(status)
    event: Event
    if model is None:
        event = OtherEvent(type=f"{KIND}.{status}", **common)
    else:
        currency = body.currency("price_currency")
        amount = minor_units(body.literal("price_amount"), currency, decimals=decimals_of(currency))
        event = model(amount_minor=amount, currency=currency, **common)
    parts = [payment_id, status]
    if status == "partially_paid":
        parts.append(body.find_literal("actually_paid") or "")
    token = find_token(body.find_text("order_id"), body.find_text("order_description"))
    return Translation(idempotency_key(*parts), event, token)


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that NOWPayments sends with *body*; the time is not part of them."""
    return [("Content-Type", "application/json"), *SIGNATURE.sign(body, secret, at)]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # Retries are set in its dashboard. The signature holds for ever, so a month.
    remember_for=timedelta(days=31),
    documentation=DOCUMENTATION,
    sign=sign,
    examples=examples.EXAMPLES,
)
