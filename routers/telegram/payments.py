"""Payments inside Telegram: what an update tells of money, in the words of all providers."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from routers.document import Document, Unreadable, find_token
from routers.event import Customer, Event
from routers.payments.events import PaymentRefunded, PaymentSucceeded
from routers.payments.subscriptions import (
    SubscriptionCanceled,
    SubscriptionEvent,
    SubscriptionPastDue,
    SubscriptionRenewed,
    SubscriptionResumed,
    SubscriptionStarted,
)
from routers.provider import Translation, idempotency_key

PROVIDER: Final = "telegram"
#: Longer than Telegram repeats an update, and than a restored backup of a bot's queue is old.
REMEMBER_FOR: Final = timedelta(days=31)

_KEYS: Final = frozenset({"successful_payment", "refunded_payment"})
# https://core.telegram.org/bots/api#botsubscriptionupdated, "state"
_SUBSCRIPTION_STATES: Final[Mapping[str, type[SubscriptionEvent]]] = {
    "canceled": SubscriptionCanceled,
    "active": SubscriptionResumed,
    "failed": SubscriptionPastDue,
}


def payment_events(update: Mapping[str, Any], now: datetime) -> list[Translation]:
    """
    What *update* tells of money, beside being an update; mostly nothing.

    https://core.telegram.org/bots/api#successfulpayment: the `telegram_payment_charge_id` is the idempotency
    key. Amounts are whole numbers of the currency's smallest unit, Stars (XTR) have none below one.
    """
    message = update.get("message")
    if "subscription" not in update and not (isinstance(message, dict) and _KEYS & message.keys()):
        return []
    try:
        return list(_told(Document(update), now))
    except (Unreadable, ValidationError):
        # Not in Telegram's form: it is still an update, and kept as that.
        return []


def source_of(bot_id: int) -> str:
    """The name under which one bot's payments are stored."""
    return f"telegram_payments:{bot_id}"


def payer_of(update: Mapping[str, Any]) -> int | None:
    """The user who paid; another than the conversation's, where an invoice was passed on."""
    return Document(update).find_integer("message", "from", "id")


def _told(update: Document, now: datetime) -> Iterator[Translation]:
    message = update.find_object("message")
    at = message.find_time("date") or now
    customer = _customer(message)
    if (paid := message.find_object("successful_payment")).raw:
        yield from _paid(paid, message, at, customer)
    elif (refunded := message.find_object("refunded_payment")).raw:
        charge = refunded.text("telegram_payment_charge_id")
        event = PaymentRefunded(
            provider=PROVIDER, object_id=charge, occurred_at=at, customer=customer, **_money(refunded)
        )
        yield _translation(f"{charge}:refunded", event, refunded)
    elif (changed := update.find_object("subscription")).raw:
        model = _SUBSCRIPTION_STATES.get(changed.find_text("state") or "")
        user = changed.find_integer("user", "id")
        if model is not None and user is not None:
            number = update.find_integer("update_id")
            subscription = _subscription(user, changed)
            common: dict[str, Any] = {"provider": PROVIDER, "object_id": subscription, "occurred_at": now}
            step = model(**common)
            yield _translation(f"{subscription}:{number}", step, changed)


def _paid(paid: Document, message: Document, at: datetime, customer: Customer) -> Iterator[Translation]:
    charge = paid.text("telegram_payment_charge_id")
    money = _money(paid)
    recurring = paid.find("is_recurring") is True
    first = paid.find("is_first_recurring") is True
    if first or not recurring:
        event: Event = PaymentSucceeded(
            provider=PROVIDER, object_id=charge, occurred_at=at, customer=customer, **money
        )
        yield _translation(charge, event, paid)
    if first or recurring:
        # A later period is no payment of the expectation that the first one answered.
        model = SubscriptionStarted if first else SubscriptionRenewed
        user = message.find_integer("from", "id")
        step = model(
            provider=PROVIDER,
            object_id=_subscription(user or 0, paid),
            occurred_at=at,
            customer=customer,
            ends_at=paid.find_time("subscription_expiration_date"),
            **money,
        )
        yield _translation(f"{charge}:subscription", step, paid)


def _translation(key: str, event: Event, subject: Document) -> Translation:
    return Translation(idempotency_key(key), event, find_token(subject.find_text("invoice_payload")))


def _subscription(user_id: int, subject: Document) -> str:
    # Telegram names no subscription: it is one user's, to what one invoice is about.
    return f"{user_id}/{subject.find_text('invoice_payload') or ''}"


def _money(subject: Document) -> dict[str, Any]:
    return {"amount_minor": subject.amount("total_amount"), "currency": subject.currency("currency")}


def _customer(message: Document) -> Customer:
    order = message.find_object("successful_payment", "order_info")
    return Customer(
        name=order.find_text("name"),
        email=order.find_text("email"),
        phone=order.find_text("phone_number"),
        locale=message.find_text("from", "language_code"),
    )
