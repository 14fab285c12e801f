"""The events: their order, their stored form, the check of what was paid."""

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.bookings import calcom
from routers.bookings.events import BookingCreated, BookingRescheduled
from routers.document import Unreadable
from routers.event import Carried, Event, OtherEvent
from routers.payments import stripe
from routers.payments.events import (
    PAYMENT_EVENTS,
    PaymentMismatched,
    PaymentPartiallyRefunded,
    PaymentSucceeded,
)
from routers.provider import Example, Provider
from routers.registry import providers
from routers.vocabulary import EVENTS, parse_event
from tests.unit.calls import NOW, TOKEN, call, genuine

PAID = PaymentSucceeded(
    provider="stripe",
    object_id="pi_1",
    occurred_at=NOW,
    amount_minor=4200,
    currency="EUR",
    raw={"id": "evt_1"},
)


def examples() -> list[tuple[Provider, str]]:
    """Each provider with each type that it has an example of."""
    return [
        (provider, own_type)
        for provider in providers().values()
        for own_type in provider.examples
        if own_type != "check"  # a question, which is answered and not kept
    ]


@pytest.mark.parametrize("provider, own_type", examples(), ids=lambda each: getattr(each, "kind", each))
def test_what_is_stored_comes_back_as_the_same_event(provider: Provider, own_type: str) -> None:
    """The model of its type, with every field."""
    event = provider.translate(genuine(provider, own_type), NOW).event

    restored = parse_event(event.encode())

    assert type(restored) is type(event)
    assert restored == event


def test_an_event_without_a_word_of_ours_comes_back_too() -> None:
    """Under the provider's own type."""
    event = OtherEvent(type="stripe.customer.created", provider="stripe", object_id="cus_1", occurred_at=NOW)

    assert parse_event(event.encode()) == event


def test_the_providers_body_is_not_stored_twice() -> None:
    """It stays in the envelope and is attached again."""
    restored = parse_event(PAID.encode())

    assert b"evt_1" not in PAID.encode()
    assert restored.raw == {}
    assert restored.with_body(b'{"id": "evt_1"}').raw == {"id": "evt_1"}


@pytest.mark.parametrize(
    "body, raw", [(b'{"a":1}', {"a": 1}), (b"a=1", {"a": "1"}), (b"[1]", {}), (b"\xff", {}), (b"", {})]
)
def test_a_body_is_an_object_a_form_or_nothing(body: bytes, raw: dict[str, Any]) -> None:
    """What else it is, the translated event tells all that can be told."""
    assert PAID.with_body(body).raw == raw


def test_a_body_is_read_once() -> None:
    """The event that it was attached to stays as it was."""
    event = PAID.with_body(b'{"a":1}')

    assert event.raw is event.raw
    assert type(event.raw) is dict
    assert PAID.raw == {"id": "evt_1"}


def test_a_body_that_was_not_read_yet_makes_no_difference() -> None:
    """Not to comparing, copying, writing or unpacking the event."""
    unread = [PAID.with_body(b'{"id":"evt_1"}') for _ in range(6)]

    assert unread[0] == PAID
    assert unread[1] == PAID
    assert unread[2] == PAID.with_body(b'{"id": "evt_1"}')
    assert unread[3] != PAID.with_body(b'{"id":"evt_2"}')
    assert dict(unread[4]) == dict(PAID)
    assert unread[5].model_dump() == PAID.model_dump()
    assert unread[5].encode() == PAID.encode()
    assert copy.deepcopy(unread[5]) == PAID
    assert unread[5].model_copy(update={"amount_minor": 1}).raw == PAID.raw
    assert repr(unread[5]) == repr(PAID)
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(PAID, "no_such_name")  # noqa: B009 - a checker would refuse the plain form


def test_an_event_is_not_read_again_where_it_was_made() -> None:
    """Its stored form is the same, byte for byte."""
    carried = Carried.of(PAID)

    assert carried == PAID.encode()
    assert parse_event(carried) is PAID


@pytest.mark.parametrize(
    "stored", [b"", b"null", b"[]", b"{}", b'{"type":7}', b'{"type":"payment.succeeded"}']
)
def test_what_is_no_stored_event_is_a_value_error(stored: bytes) -> None:
    """One exception, whatever is wrong."""
    with pytest.raises(ValueError, match="not a stored event"):
        parse_event(stored)


def test_the_vocabulary_is_the_documented_one() -> None:
    """These words and no others are promised to bot authors."""
    assert set(EVENTS) == {
        *(
            f"payment.{word}"
            for word in [
                "pending",
                "authorized",
                "succeeded",
                "failed",
                "canceled",
                "refunded",
                "partially_refunded",
                "disputed",
                "mismatched",
            ]
        ),
        *(
            f"subscription.{word}"
            for word in ["started", "resumed", "renewed", "past_due", "paused", "canceled", "expired"]
        ),
        *(
            f"booking.{word}"
            for word in [
                "requested",
                "created",
                "rescheduled",
                "canceled",
                "rejected",
                "no_show",
                "started",
                "ended",
            ]
        ),
    }


def test_the_exact_amount_is_paid() -> None:
    """The currency's letters may be small in the expectation."""
    assert PAID.checked(4200, "eur") is PAID


@pytest.mark.parametrize("amount_minor, currency", [(4199, "EUR"), (4201, "EUR"), (4200, "USD")])
def test_another_amount_or_currency_is_a_mismatch(amount_minor: int, currency: str) -> None:
    """It never counts as paid, and takes the place in the order that the payment would have had."""
    event = PAID.checked(amount_minor, currency)

    assert isinstance(event, PaymentMismatched)
    assert event.type == "payment.mismatched"
    assert (event.amount_minor, event.expected_amount_minor) == (4200, amount_minor)
    assert (event.object_id, event.rank, event.raw) == (PAID.object_id, PAID.rank, PAID.raw)
    assert parse_event(event.encode()) == event.with_body(b"{}")


def test_money_moves_forward_only() -> None:
    """The order of the payment's steps; paid and mismatched share a place."""
    levels = [model.level for model in PAYMENT_EVENTS]

    assert levels == sorted(levels)
    assert len(set(levels)) == len(levels) - 1


def test_ranks_are_numbers_that_redis_compares_exactly() -> None:
    """The highest one, with the largest progress, is below 2**53."""
    facts: dict[str, Any] = {"provider": "p", "object_id": "o", "occurred_at": NOW, "currency": "IDR"}
    most = PaymentPartiallyRefunded(amount_minor=2**63, **facts)
    ranks = [model.model_construct(**facts, amount_minor=1).rank for model in PAYMENT_EVENTS]

    assert all(rank is not None and rank < 2**53 for rank in [*ranks, most.rank])
    assert most.rank is not None
    assert most.rank < PaymentPartiallyRefunded.level * 10**14 + 10**14


def test_a_later_move_of_a_booking_outranks_an_earlier_one() -> None:
    """Under one object id; and both outrank the creation."""
    facts: dict[str, Any] = {"provider": "p", "object_id": "o"}
    created = BookingCreated(occurred_at=NOW, **facts).rank
    first = BookingRescheduled(occurred_at=NOW, **facts).rank
    second = BookingRescheduled(occurred_at=NOW.replace(minute=1), **facts).rank

    assert created is not None
    assert first is not None
    assert second is not None
    assert created < first < second


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def distorted(draw: st.DrawFn, provider: Provider) -> bytes:
    """A genuine body with up to four of its values replaced or gone."""
    own_type = draw(st.sampled_from(sorted(provider.examples)))
    body = orjson.loads(provider.examples[own_type](Example(TOKEN, NOW)))
    for _ in range(draw(st.integers(0, 4))):
        place = body
        while True:
            name = draw(st.sampled_from(sorted(place)))
            inner = place[name]
            if not isinstance(inner, dict) or not inner or draw(st.booleans()):
                break
            place = inner
        if draw(st.booleans()):
            place[name] = draw(json_values)
        else:
            del place[name]
        if not body:
            break
    return orjson.dumps(body)


@pytest.mark.hypothesis
@pytest.mark.parametrize("provider", [stripe.PROVIDER, calcom.PROVIDER], ids=["stripe", "calcom"])
def test_no_body_breaks_a_translator(provider: Provider) -> None:
    """Each body is either an event that can be stored and restored, or unreadable."""

    @given(st.binary(max_size=100) | json_values.map(orjson.dumps) | distorted(provider))
    @settings(max_examples=300, deadline=None)
    def translated_or_unreadable(body: bytes) -> None:
        try:
            translation = provider.translate(call(body), NOW)
        except Unreadable:
            return
        event: Event = translation.event
        assert parse_event(event.encode()) == event
        assert 0 < len(translation.idempotency_key) <= 200
        assert event.rank is None or 0 < event.rank < 2**53

    translated_or_unreadable()
