"""Razorpay's events in our words."""

from datetime import timedelta

import orjson
import pytest
from razorpay.utility import Utility  # type: ignore[import-untyped]  # Razorpay ships no types

from routers.payments.events import PaymentEvent, PaymentPartiallyRefunded
from routers.payments.razorpay import PROVIDER, SUBSCRIPTIONS, TRANSLATIONS, translate
from routers.payments.subscriptions import SubscriptionEvent
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, call, genuine


@pytest.mark.parametrize("own_type, model", TRANSLATIONS.items())
def test_each_type_has_its_word(own_type: str, model: type[PaymentEvent]) -> None:
    """With amount, currency, time, and the token out of the notes."""
    translation = translate(genuine(PROVIDER, own_type), NOW)
    event = translation.event

    assert type(event) is model
    assert isinstance(event, PaymentEvent)
    assert (event.amount_minor, event.currency, event.occurred_at) == (4200, "EUR", NOW)
    assert translation.token == TOKEN


def test_a_part_that_is_given_back_is_a_partial_refund() -> None:
    """The payment tells how much went back in all."""
    body = orjson.loads(genuine(PROVIDER, "refund.processed").body)
    body["payload"]["payment"]["entity"]["amount_refunded"] = 100
    event = translate(call(orjson.dumps(body)), NOW).event

    assert isinstance(event, PaymentPartiallyRefunded)
    assert event.amount_minor == 100


@pytest.mark.parametrize("own_type, model", SUBSCRIPTIONS.items())
def test_each_step_of_a_subscription_has_its_word(own_type: str, model: type[SubscriptionEvent]) -> None:
    """Of one object, with the end of its period; what a period took is told with its charge."""
    translation = translate(genuine(PROVIDER, own_type), NOW)
    event = translation.event
    amount = 4200 if own_type == "subscription.charged" else None

    assert type(event) is model
    assert isinstance(event, SubscriptionEvent)
    assert (event.ends_at, event.amount_minor) == (NOW + timedelta(days=30), amount)
    assert event.object_id.startswith("sub_")
    assert translation.token == TOKEN


def test_another_type_keeps_its_name() -> None:
    """An event about no payment is kept whole."""
    event = translate(call(b'{"event":"settlement.processed","payload":{}}'), NOW).event

    assert event.type == "razorpay.settlement.processed"


@pytest.mark.parametrize("own_type", TRANSLATIONS)
def test_what_our_signer_signs_their_library_accepts(own_type: str) -> None:
    """The official verifier, which takes texts only; what it calculates is what ours compares."""
    sent = genuine(PROVIDER, own_type)
    signature = dict(sent.headers)[b"x-razorpay-signature"].decode()

    assert Utility().verify_webhook_signature(sent.body.decode(), signature, SECRET.decode())
    PROVIDER.verify(sent, [Secret(SECRET)], NOW)
