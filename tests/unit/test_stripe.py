"""Stripe's events in our words."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from routers.document import Unreadable
from routers.event import OtherEvent
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentDisputed,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.stripe import PROVIDER, translate
from routers.provider import Example, Translation
from tests.unit.calls import NOW, TOKEN, call, genuine


def changed(own_type: str, **fields: Any) -> Translation:
    """The translation of the example for *own_type* with *fields* of its object replaced."""
    body = orjson.loads(genuine(PROVIDER, own_type).body)
    body["data"]["object"].update(fields)
    return translate(call(orjson.dumps(body)), NOW)


@pytest.mark.parametrize(
    "own_type, model",
    [
        ("checkout.session.completed", PaymentSucceeded),
        ("checkout.session.async_payment_succeeded", PaymentSucceeded),
        ("checkout.session.async_payment_failed", PaymentFailed),
        ("checkout.session.expired", PaymentCanceled),
        ("payment_intent.processing", PaymentPending),
        ("payment_intent.amount_capturable_updated", PaymentAuthorized),
        ("payment_intent.succeeded", PaymentSucceeded),
        ("payment_intent.payment_failed", PaymentFailed),
        ("payment_intent.canceled", PaymentCanceled),
        ("charge.refunded", PaymentRefunded),
        ("charge.dispute.created", PaymentDisputed),
    ],
)
def test_each_type_has_its_word(own_type: str, model: type[PaymentEvent]) -> None:
    """Amount, currency and time come along with the model of the type."""
    event = translate(genuine(PROVIDER, own_type), NOW + timedelta(hours=1)).event

    assert type(event) is model
    assert (event.amount_minor, event.currency, event.occurred_at) == (4200, "EUR", NOW)
    assert event.test_mode


def test_every_translated_type_has_an_example() -> None:
    """The demo, the tests and the command line can make each event that has a word of ours."""
    from routers.payments.stripe import TRANSLATIONS

    assert set(PROVIDER.examples) == set(TRANSLATIONS)


def test_a_session_that_is_completed_but_not_paid_is_pending() -> None:
    """A delayed method completes the session and pays days later."""
    assert type(changed("checkout.session.completed", payment_status="unpaid").event) is PaymentPending


def test_a_session_about_no_money_is_another_event() -> None:
    """A session of mode "setup" has no amount; it is kept, under Stripe's own type."""
    translation = changed("checkout.session.completed", amount_total=None, currency=None)

    assert type(translation.event) is OtherEvent
    assert translation.event.type == "stripe.checkout.session.completed"


def test_a_session_and_its_intent_are_one_fact() -> None:
    """Two events of two ids, but one object and one rank: only the first of them acts, in either order."""
    session = translate(genuine(PROVIDER, "checkout.session.completed"), NOW)
    intent = translate(genuine(PROVIDER, "payment_intent.succeeded"), NOW)

    assert session.idempotency_key != intent.idempotency_key
    assert (session.event.object_id, session.event.rank) == (intent.event.object_id, intent.event.rank)
    assert session.object_key == intent.object_key
    assert session.token == intent.token == TOKEN


def test_a_repeat_has_the_same_idempotency_key() -> None:
    """Stripe's event id, whatever the time of the delivery."""
    sent = genuine(PROVIDER, "payment_intent.succeeded", Example(TOKEN, NOW, event_id="evt_77"))

    assert translate(sent, NOW).idempotency_key == "evt_77"
    assert translate(sent, NOW + timedelta(days=3)).idempotency_key == "evt_77"


@pytest.mark.parametrize("fields", [{"client_reference_id": None}, {"metadata": {}}, {"metadata": None}])
def test_the_token_is_found_wherever_it_travels(fields: dict[str, Any]) -> None:
    """As the client_reference_id or as a metadata key."""
    assert changed("checkout.session.completed", **fields).token == TOKEN


@pytest.mark.parametrize(
    "other", ["order-77", "12345678", TOKEN.upper(), TOKEN + "a", "zz" + TOKEN[2:], "", 7]
)
def test_a_value_of_another_form_is_no_token(other: object) -> None:
    """A bare user id or an order number from a field that the payer can edit is never believed."""
    fields = {"client_reference_id": other, "metadata": {"token": other}}

    assert changed("checkout.session.completed", **fields).token is None


def test_a_dispute_has_no_token_but_names_its_payment() -> None:
    """It is found by the object that the earlier events were about."""
    paid = translate(genuine(PROVIDER, "payment_intent.succeeded"), NOW)
    disputed = translate(genuine(PROVIDER, "charge.dispute.created"), NOW)

    assert disputed.token is None
    assert disputed.object_key == paid.object_key


def test_each_part_of_a_refund_moves_forward() -> None:
    """The sums grow, and so do the ranks; the whole sum is the end of it."""
    first = changed("charge.refunded", refunded=False, amount_refunded=1000).event
    second = changed("charge.refunded", refunded=False, amount_refunded=2000).event
    whole = changed("charge.refunded").event

    assert type(first) is PaymentPartiallyRefunded
    assert first.rank is not None
    assert second.rank is not None
    assert whole.rank is not None
    assert first.rank < second.rank < whole.rank


@pytest.mark.parametrize("currency, amount_minor", [("JPY", 4200), ("KWD", 4200), ("ISK", 42), ("UGX", 42)])
def test_amounts_are_in_the_currencys_real_minor_unit(currency: str, amount_minor: int) -> None:
    """Stripe writes ISK and UGX as if they had cents; they have none."""
    event = translate(
        genuine(PROVIDER, "payment_intent.succeeded", Example(TOKEN, NOW, currency=currency)), NOW
    )

    assert isinstance(event.event, PaymentSucceeded)
    assert event.event.amount_minor == amount_minor


def test_an_expanded_intent_is_the_same_object() -> None:
    """Some endpoints get the intent as an object in place of its id."""
    expanded = changed(
        "checkout.session.completed", payment_intent={"id": "pi_9", "object": "payment_intent"}
    )

    assert expanded.event.object_id == "pi_9"


def test_an_unknown_type_is_kept_under_its_own_name() -> None:
    """Thin events too, whose time is a text."""
    thin = {
        "id": "evt_test_65",
        "object": "v2.core.event",
        "type": "v1.billing.meter.error_report_triggered",
        "created": "2026-11-24T11:59:00.000Z",
        "livemode": True,
    }
    translation = translate(call(orjson.dumps(thin)), NOW)

    assert type(translation.event) is OtherEvent
    assert translation.event.type == "stripe.v1.billing.meter.error_report_triggered"
    assert translation.event.occurred_at == NOW - timedelta(minutes=1)
    assert not translation.event.test_mode


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"id":"evt_1"}', b"\xff", b'{"id":"evt_1","type":"payment_intent.succeeded"}'],
)
def test_a_body_in_another_form_is_unreadable(body: bytes) -> None:
    """It is authentic, so it is no refusal: the caller of the translator keeps it whole."""
    with pytest.raises(Unreadable):
        translate(call(body), NOW)


@pytest.mark.parametrize("amount", [-1, None, 42.0, "4200", True, 1e30])
def test_an_amount_that_is_no_amount_is_unreadable(amount: object) -> None:
    """No float and no text is taken for money."""
    with pytest.raises(Unreadable):
        changed("payment_intent.succeeded", amount_received=amount)
