"""Square's payments and bookings in our words, and its signature over its address."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from routers.bookings.events import (
    BookingCanceled,
    BookingCreated,
    BookingEvent,
    BookingNoShow,
    BookingRejected,
    BookingRequested,
    BookingRescheduled,
)
from routers.call import Call
from routers.event import Event
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.square import PROVIDER, translate
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, URL, call, genuine

WORDS: dict[str, type[Event]] = {
    "payment.created": PaymentAuthorized,
    "payment.updated": PaymentSucceeded,
    "payment.updated:pending": PaymentPending,
    "payment.updated:failed": PaymentFailed,
    "payment.updated:canceled": PaymentCanceled,
    "payment.updated:refunded": PaymentRefunded,
    "booking.created": BookingCreated,
    "booking.created:pending": BookingRequested,
    "booking.updated": BookingRescheduled,
    "booking.updated:canceled": BookingCanceled,
    "booking.updated:declined": BookingRejected,
    "booking.updated:no_show": BookingNoShow,
}


def changed(own_type: str, **members: Any) -> Call:
    """The example of *own_type*, its payment or booking with other members."""
    body = orjson.loads(genuine(PROVIDER, own_type).body)
    [noun] = body["data"]["object"]
    body["data"]["object"][noun].update(members)
    return call(orjson.dumps(body))


@pytest.mark.parametrize("own_type, model", WORDS.items())
def test_each_status_has_its_word(own_type: str, model: type[Event]) -> None:
    """With the token out of the payment's reference or the booking's note."""
    translation = translate(genuine(PROVIDER, own_type), NOW)

    assert type(translation.event) is model
    assert (translation.token, translation.event.occurred_at) == (TOKEN, NOW)
    assert WORDS.keys() == PROVIDER.examples.keys()


def test_a_payment_is_of_what_was_asked_for() -> None:
    """A tip comes on top and makes no mismatch."""
    event = translate(changed("payment.updated", total_money={"amount": 5000, "currency": "EUR"}), NOW).event

    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency) == (4200, "EUR")


def test_a_part_that_is_given_back_is_a_partial_refund() -> None:
    """With the sum so far, as the payment tells it."""
    event = translate(
        changed("payment.updated", refunded_money={"amount": 100, "currency": "EUR"}), NOW
    ).event

    assert isinstance(event, PaymentPartiallyRefunded)
    assert event.amount_minor == 100


def test_the_steps_of_a_payment_are_ranked() -> None:
    """Square promises no order; a late `APPROVED` must not undo `COMPLETED`."""
    steps = ("payment.updated:pending", "payment.created", "payment.updated", "payment.updated:refunded")
    events = [translate(genuine(PROVIDER, step), NOW).event for step in steps]

    assert all(isinstance(event, PaymentEvent) for event in events)
    ranks = [event.rank or 0 for event in events]
    assert ranks == sorted(set(ranks))
    assert len({event.object_id for event in events}) == 1


def test_a_booking_has_a_beginning_and_an_end() -> None:
    """The end from the segments' minutes."""
    event = translate(genuine(PROVIDER, "booking.created"), NOW).event

    assert isinstance(event, BookingEvent)
    assert (event.starts_at, event.ends_at) == (NOW + timedelta(days=3), NOW + timedelta(days=3, hours=1))


@pytest.mark.parametrize("own_type", ["payment.updated", "booking.updated"])
def test_an_unknown_status_keeps_squares_type(own_type: str) -> None:
    """It is not guessed at."""
    assert translate(changed(own_type, status="NEW_ONE"), NOW).event.type == f"square.{own_type}"


def test_another_type_keeps_its_name() -> None:
    """A refund is told by the payment; its own event is kept whole."""
    event = translate(call(b'{"event_id":"e1","type":"refund.updated","data":{}}'), NOW).event

    assert (event.type, event.object_id) == ("square.refund.updated", "e1")


def test_the_published_vector_is_accepted() -> None:
    """From Square's own library's tests."""
    body = (
        b'{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification",'
        b'"event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z",'
        b'"data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}'
    )
    headers = [(b"x-square-hmacsha256-signature", b"GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=")]
    url = "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9"
    secret = Secret(b"Ibxx_5AKakO-3qeNVR61Dw")

    PROVIDER.verify(Call(body, headers, public_url=url), [secret], NOW)
    for refused in (Call(body, headers, public_url=url + "0"), Call(body, headers)):
        with pytest.raises(Refused):
            PROVIDER.verify(refused, [secret], NOW)


def test_the_address_is_part_of_what_is_signed() -> None:
    """A call to one endpoint cannot be sent on to another."""
    sent = genuine(PROVIDER, "payment.updated")
    other = Call(sent.body, sent.headers, public_url=URL + "-2")

    with pytest.raises(Refused) as caught:
        PROVIDER.verify(other, [Secret(SECRET)], NOW)
    assert caught.value.reason is RefusalReason.SIGNATURE_WRONG
