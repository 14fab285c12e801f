"""Lemon Squeezy's events in our words."""

from typing import Any

import orjson
import pytest

from routers.event import Event
from routers.payments.events import (
    PaymentDisputed,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.lemonsqueezy import PROVIDER, TRANSLATIONS, translate
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
from tests.unit.calls import NOW, TOKEN, call, genuine

WORDS: dict[str, type[Event]] = {
    "order_created": PaymentSucceeded,
    "order_refunded": PaymentRefunded,
    "subscription_created": SubscriptionStarted,
    "subscription_resumed": SubscriptionResumed,
    "subscription_unpaused": SubscriptionResumed,
    "subscription_paused": SubscriptionPaused,
    "subscription_cancelled": SubscriptionCanceled,
    "subscription_expired": SubscriptionExpired,
    "subscription_payment_success": SubscriptionRenewed,
    "subscription_payment_recovered": SubscriptionResumed,
    "subscription_payment_failed": SubscriptionPastDue,
}


def changed(own_type: str, **attributes: Any) -> bytes:
    """The example of *own_type* with other attributes."""
    body = orjson.loads(genuine(PROVIDER, own_type).body)
    body["data"]["attributes"].update(attributes)
    return orjson.dumps(body)


@pytest.mark.parametrize("own_type, model", WORDS.items())
def test_each_type_has_its_word(own_type: str, model: type[Event]) -> None:
    """With the time of the change, the token out of the checkout's custom data, and test mode told."""
    translation = translate(genuine(PROVIDER, own_type), NOW)

    assert type(translation.event) is model
    assert (translation.event.occurred_at, translation.event.test_mode) == (NOW, True)
    assert translation.token == TOKEN
    assert WORDS.keys() == TRANSLATIONS.keys()


def test_an_order_is_paid_to_the_cent() -> None:
    """Whole cents in, whole cents out."""
    event = translate(genuine(PROVIDER, "order_created"), NOW).event

    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency, event.customer.email) == (4200, "EUR", "guest@example.com")


@pytest.mark.parametrize(
    "status, model", [("pending", PaymentPending), ("failed", PaymentFailed), ("fraudulent", PaymentDisputed)]
)
def test_a_created_order_is_not_always_paid(status: str, model: type[PaymentEvent]) -> None:
    """The status decides, not the name of the event."""
    assert type(translate(call(changed("order_created", status=status)), NOW).event) is model


def test_an_order_of_an_unknown_status_is_not_guessed_at() -> None:
    """It keeps Lemon Squeezy's name."""
    event = translate(call(changed("order_created", status="new_status")), NOW).event

    assert event.type == "lemonsqueezy.order_created"


def test_a_part_that_is_given_back_is_a_partial_refund() -> None:
    """With the sum of what went back so far."""
    event = translate(call(changed("order_refunded", refunded_amount=100)), NOW).event

    assert isinstance(event, PaymentPartiallyRefunded)
    assert event.amount_minor == 100


def test_the_first_invoice_of_a_subscription_is_told_as_its_order() -> None:
    """One payment must not count twice."""
    event = translate(call(changed("subscription_payment_success", billing_reason="initial")), NOW).event

    assert event.type == "lemonsqueezy.subscription_payment_success"


def test_invoices_and_changes_belong_to_one_subscription() -> None:
    """They share the object, and with it the order of steps."""
    made = translate(genuine(PROVIDER, "subscription_created"), NOW)
    renewed = translate(genuine(PROVIDER, "subscription_payment_success"), NOW)

    assert made.object_key == renewed.object_key
    assert isinstance(renewed.event, SubscriptionEvent)
    assert (renewed.event.amount_minor, renewed.event.currency) == (4200, "EUR")


def test_a_change_within_an_object_has_a_key_of_its_own() -> None:
    """The same event at another time of change is another event."""
    first = translate(genuine(PROVIDER, "subscription_paused"), NOW)
    again = translate(call(changed("subscription_paused", updated_at="2026-12-01T00:00:00.000000Z")), NOW)

    assert first.idempotency_key != again.idempotency_key


def test_an_unknown_type_keeps_its_name() -> None:
    """A licence key is nothing that we have a word for."""
    event = translate(call(b'{"meta":{"event_name":"license_key_created"},"data":{}}'), NOW).event

    assert event.type == "lemonsqueezy.license_key_created"
