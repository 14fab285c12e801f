"""What Telegram's updates tell of money."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram.types import Update
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.event import Event
from routers.payments.events import PaymentRefunded, PaymentSucceeded
from routers.payments.subscriptions import (
    SubscriptionCanceled,
    SubscriptionEvent,
    SubscriptionPastDue,
    SubscriptionRenewed,
    SubscriptionResumed,
    SubscriptionStarted,
)
from routers.telegram.payments import payer_of, payment_events
from tests.unit.calls import NOW, TOKEN

PAID: dict[str, Any] = {
    "currency": "XTR",
    "total_amount": 250,
    "invoice_payload": TOKEN,
    "telegram_payment_charge_id": "charge-1",
    "provider_payment_charge_id": "provider-1",
}


def message(**content: Any) -> dict[str, Any]:
    """An update with a message, as Telegram sends it."""
    update = {
        "update_id": 7,
        "message": {
            "message_id": 5,
            "date": int(NOW.timestamp()),
            "chat": {"id": 501, "type": "private", "first_name": "Ada"},
            "from": {"id": 501, "is_bot": False, "first_name": "Ada", "language_code": "de"},
            **content,
        },
    }
    Update.model_validate(update)  # aiogram's models are Telegram's documentation, generated
    return update


def only(update: dict[str, Any]) -> Event:
    """The one event that *update* tells."""
    [told] = payment_events(update, NOW)
    return told.event


def test_a_payment_in_stars_has_no_minor_unit() -> None:
    """250 Stars are 250; the charge is the object and the key, the payload carries the token."""
    [told] = payment_events(message(successful_payment=PAID), NOW)
    event = told.event

    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency, event.object_id) == (250, "XTR", "charge-1")
    assert (told.idempotency_key, told.token, event.occurred_at) == ("charge-1", TOKEN, NOW)
    assert event.customer.locale == "de"


def test_a_payment_in_money_brings_what_the_payer_entered() -> None:
    """Amounts are Telegram's smallest units, names and addresses hints."""
    order = {"name": "Ada Guest", "email": "guest@example.com", "phone_number": "4930123456"}
    paid = {**PAID, "currency": "EUR", "total_amount": 4200, "order_info": order}
    event = only(message(successful_payment=paid))

    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency) == (4200, "EUR")
    assert (event.customer.name, event.customer.email) == ("Ada Guest", "guest@example.com")


def test_a_payload_of_the_bots_own_carries_no_token() -> None:
    """Then the payment is the payer's, and nothing is guessed from its text."""
    [told] = payment_events(message(successful_payment={**PAID, "invoice_payload": "order 17"}), NOW)

    assert told.token is None


def test_a_refund_is_of_the_same_object() -> None:
    """Under a key of its own."""
    refunded = {name: value for name, value in PAID.items() if name != "provider_payment_charge_id"}
    [told] = payment_events(message(refunded_payment=refunded), NOW)

    assert isinstance(told.event, PaymentRefunded)
    assert (told.event.object_id, told.idempotency_key) == ("charge-1", "charge-1:refunded")


def test_the_first_payment_of_a_subscription_is_both() -> None:
    """It answers the expectation, and the subscription has begun, until the time that Telegram tells."""
    ends = datetime(2026, 12, 24, 12, tzinfo=UTC)
    recurring = {"is_recurring": True, "subscription_expiration_date": int(ends.timestamp())}
    first, begun = payment_events(
        message(successful_payment={**PAID, **recurring, "is_first_recurring": True}), NOW
    )

    assert isinstance(first.event, PaymentSucceeded)
    assert isinstance(begun.event, SubscriptionStarted)
    assert (begun.event.ends_at, begun.event.amount_minor) == (ends, 250)
    assert first.idempotency_key != begun.idempotency_key


def test_a_later_payment_of_a_subscription_is_a_renewal_only() -> None:
    """The expectation was answered once; a second payment of it would be one too many."""
    event = only(message(successful_payment={**PAID, "is_recurring": True}))

    assert isinstance(event, SubscriptionRenewed)
    assert event.object_id == f"501/{TOKEN}"


@pytest.mark.parametrize(
    "state, model",
    [("canceled", SubscriptionCanceled), ("active", SubscriptionResumed), ("failed", SubscriptionPastDue)],
)
def test_a_subscription_changes(state: str, model: type[SubscriptionEvent]) -> None:
    """It is of the same object as its payments."""
    user = {"id": 501, "is_bot": False, "first_name": "Ada"}
    update = {"update_id": 8, "subscription": {"user": user, "invoice_payload": TOKEN, "state": state}}
    Update.model_validate(update)
    event = only(update)

    assert type(event) is model
    assert event.object_id == f"501/{TOKEN}"


@pytest.mark.parametrize(
    "update",
    [
        message(text="hello"),
        message(successful_payment=PAID) | {"message": {"successful_payment": "x"}},
        {"message": {"successful_payment": {"currency": "XTR"}}},
        {"message": {"successful_payment": {**PAID, "total_amount": -1}}},
        {"message": {"successful_payment": {**PAID, "total_amount": 1.5}}},
        {"message": {"successful_payment": {**PAID, "currency": "??"}}},
        {"subscription": {"state": "active"}},
        {"subscription": {"user": {"id": 1}, "state": "new_one"}},
        {"subscription": 7},
    ],
)
def test_other_updates_tell_of_no_money(update: dict[str, Any]) -> None:
    """Nor do those that are not in Telegram's form; they stay updates."""
    assert payment_events(update, NOW) == []


def test_who_paid_is_who_gets_it_back() -> None:
    """Also where an invoice was passed on to somebody else."""
    assert payer_of(message(successful_payment=PAID)) == 501
    assert payer_of({"message": 7}) is None


values = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
contents = st.recursive(
    values,
    lambda inner: st.dictionaries(
        st.sampled_from([*PAID, "is_recurring", "order_info", "state", "user", "id", "from", "date"]), inner
    ),
    max_leaves=12,
)


@given(st.sampled_from(["successful_payment", "refunded_payment"]), contents, contents)
@settings(max_examples=300, deadline=None)
def test_no_update_breaks_the_translation(kind: str, content: object, other: object) -> None:
    """Whatever comes with the secret, it is events or none."""
    payment_events({"message": {kind: content, "from": other, "date": other}}, NOW)
    payment_events({"subscription": content, "update_id": 1}, NOW)
