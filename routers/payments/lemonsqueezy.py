"""Lemon Squeezy: orders paid and given back, subscriptions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from routers.call import Call
from routers.document import Document, find_token
from routers.event import Customer, Event, OtherEvent
from routers.payments.events import (
    PaymentDisputed,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import lemonsqueezy as examples
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

KIND: Final = "lemonsqueezy"

# https://docs.lemonsqueezy.com/help/webhooks/signing-requests: hex HMAC-SHA256 of the raw body. No time is
# signed, the idempotency key stops a replay.
SIGNATURE: Final = HmacScheme(header="X-Signature")

Facts = tuple[type[Event] | None, dict[str, Any]]


def translate(call: Call, now: datetime) -> Translation:
    """
    A Lemon Squeezy event in our words.

    It has no id: its name, the object and the time of the object's last change are the idempotency key. The
    name is read from the signed body, not from the header that repeats it.
    """
    body = Document.from_json(call.body)
    name = body.text("meta", "event_name")
    own_type, own_id = body.find_text("data", "type"), body.find_text("data", "id")
    subject = body.find_object("data", "attributes")
    changed_at = subject.find_text("updated_at")
    if own_type and own_id and changed_at:
        key = idempotency_key(name, own_type, own_id, changed_at)
    else:
        key = digest_key(call.body)
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": f"{own_type}/{own_id}" if own_type and own_id else key,
        "occurred_at": subject.find_time("updated_at") or now,
        "test_mode": subject.find("test_mode") is True,
        "customer": Customer(name=subject.find_text("user_name"), email=subject.find_text("user_email")),
    }
    translated = TRANSLATIONS.get(name) if own_id else None
    model, facts = (None, {}) if translated is None else translated(subject)
    event = OtherEvent(type=f"{KIND}.{name}", **common) if model is None else model(**{**common, **facts})
    return Translation(key, event, find_token(body.find_text("meta", "custom_data", "token")))


def _money(subject: Document, amount_field: str) -> dict[str, Any]:
    # https://docs.lemonsqueezy.com/api/orders/the-order-object: whole numbers of cents.
    return {"amount_minor": subject.amount(amount_field), "currency": subject.currency("currency")}


# https://docs.lemonsqueezy.com/api/orders/the-order-object, "status"
ORDER_STATUS: Final[dict[str, type[PaymentEvent]]] = {
    "paid": PaymentSucceeded,
    "pending": PaymentPending,
    "failed": PaymentFailed,
    "fraudulent": PaymentDisputed,
}


def _order_created(order: Document) -> Facts:
    model = ORDER_STATUS.get(order.find_text("status") or "")
    return (None, {}) if model is None else (model, _money(order, "total"))


def _order_refunded(order: Document) -> Facts:
    whole = order.amount("refunded_amount") >= order.amount("total")
    return PaymentRefunded if whole else PaymentPartiallyRefunded, _money(order, "refunded_amount")


def _subscription(model: type[SubscriptionEvent]) -> Callable[[Document], Facts]:
    def facts(subject: Document) -> Facts:
        return model, {"ends_at": subject.find_time("ends_at") or subject.find_time("renews_at")}

    return facts


def _invoice(model: type[SubscriptionEvent]) -> Callable[[Document], Facts]:
    # https://docs.lemonsqueezy.com/api/subscription-invoices/the-subscription-invoice-object
    def facts(invoice: Document) -> Facts:
        subscription = invoice.find_integer("subscription_id")
        if subscription is None or invoice.find_text("billing_reason") == "initial":
            return None, {}  # the first payment is told as the order
        return model, {**_money(invoice, "total"), "object_id": f"subscriptions/{subscription}"}

    return facts


# https://docs.lemonsqueezy.com/help/webhooks/event-types
TRANSLATIONS: Final[dict[str, Callable[[Document], Facts]]] = {
    "order_created": _order_created,
    "order_refunded": _order_refunded,
    "subscription_created": _subscription(SubscriptionStarted),
    "subscription_resumed": _subscription(SubscriptionResumed),
    "subscription_unpaused": _subscription(SubscriptionResumed),
    "subscription_paused": _subscription(SubscriptionPaused),
    "subscription_cancelled": _subscription(SubscriptionCanceled),
    "subscription_expired": _subscription(SubscriptionExpired),
    "subscription_payment_success": _invoice(SubscriptionRenewed),
    "subscription_payment_recovered": _invoice(SubscriptionResumed),
    "subscription_payment_failed": _invoice(SubscriptionPastDue),
}


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Lemon Squeezy sends with *body*; the time is not part of them."""
    name = Document.from_json(body).text("meta", "event_name")
    return [
        ("Content-Type", "application/json"),
        ("X-Event-Name", name),
        *SIGNATURE.sign(body, secret, at),
    ]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # https://docs.lemonsqueezy.com/help/webhooks/webhook-requests: exactly 200, else three more attempts (5,
    # 25 and 125 s); by hand at any time. The signature holds for ever, so a month.
    remember_for=timedelta(days=31),
    documentation="https://docs.lemonsqueezy.com/help/webhooks",
    sign=sign,
    examples=examples.EXAMPLES,
)
