"""Tribute: orders of its shop, and subscriptions to channels."""

from datetime import datetime, timedelta
from typing import Any, Final

from routers.call import Call
from routers.document import Document, find_token
from routers.event import Event, OtherEvent
from routers.payments.events import PaymentCanceled, PaymentEvent, PaymentFailed, PaymentSucceeded
from routers.payments.examples import tribute as examples
from routers.payments.subscriptions import (
    SubscriptionCanceled,
    SubscriptionEvent,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from routers.provider import Provider, Translation, digest_key, idempotency_key
from routers.verification import HmacScheme

KIND: Final = "tribute"

# https://wiki.tribute.tg/for-content-creators/api-documentation/webhooks: the API key is the secret. No time
# is signed, the idempotency key stops a replay.
SIGNATURE: Final = HmacScheme(header="trbt-signature")

ORDERS: Final[dict[str, type[PaymentEvent]]] = {
    "shop_order": PaymentSucceeded,
    "shop_order_payment_failed": PaymentFailed,
    "shop_order_cancelled": PaymentCanceled,
}
SUBSCRIPTIONS: Final[dict[str, type[SubscriptionEvent]]] = {
    "new_subscription": SubscriptionStarted,
    "renewed_subscription": SubscriptionRenewed,
    "cancelled_subscription": SubscriptionCanceled,
}


def translate(call: Call, now: datetime) -> Translation:
    """
    An event in our words.

    It has no id, and `sent_at` is another one in each attempt: name, object and time of creation are the
    idempotency key.
    """
    body = Document.from_json(call.body)
    name, created_at = body.text("name"), body.find_text("created_at")
    payload = body.find_object("payload")
    order, subscription = payload.find_text("uuid"), payload.find_integer("subscription_id")
    subject = order or (f"{subscription}/{payload.find_integer('user_id')}" if subscription else None)
    key = idempotency_key(name, subject, created_at) if subject and created_at else digest_key(call.body)
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": subject or key,
        "occurred_at": body.find_time("created_at") or now,
    }
    event: Event
    if order and name in ORDERS:
        event = ORDERS[name](**common, **_money(payload))
    elif subscription and name in SUBSCRIPTIONS:
        event = SUBSCRIPTIONS[name](**common, ends_at=payload.find_time("expires_at"))
    else:
        event = OtherEvent(type=f"{KIND}.{name}", **common)
    return Translation(key, event, find_token(payload.find_text("customerId")))


def _money(order: Document) -> dict[str, Any]:
    return {"amount_minor": order.amount("amount"), "currency": order.currency("currency")}


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Tribute sends with *body*; the time is not part of them."""
    return [("Content-Type", "application/json"), *SIGNATURE.sign(body, secret, at)]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # Eight attempts in some 24 hours. The signature holds for ever, so a month.
    remember_for=timedelta(days=31),
    documentation="https://wiki.tribute.tg/for-content-creators/api-documentation/webhooks",
    sign=sign,
    examples=examples.EXAMPLES,
)
