"""Acuity's appointments in our words."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from pydantic import ValidationError

from routers.bookings.acuity import PROVIDER, TRANSLATIONS, translate
from routers.bookings.events import BookingEvent, BookingRescheduled
from routers.call import Call
from routers.document import Unreadable
from routers.provider import Example
from routers.question import Question
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, call, genuine


def looked_up(own_type: str, **members: object) -> Call:
    """The example of *own_type* with what the API says about its appointment."""
    appointment = orjson.loads(PROVIDER.api_examples[own_type](Example(TOKEN, NOW)))
    return replace(genuine(PROVIDER, own_type), fetched=orjson.dumps({**appointment, **members}))


def question(asked_about: Call) -> Question | None:
    """What Acuity's API is asked about a call."""
    lookup = PROVIDER.configured({"user_id": 17}).lookup
    assert lookup is not None
    return lookup(asked_about, [Secret(SECRET)], NOW)


@pytest.mark.parametrize("own_type, model", TRANSLATIONS.items())
def test_each_action_has_its_word(own_type: str, model: type[BookingEvent]) -> None:
    """With the appointment's time, and the token out of an intake form."""
    translation = translate(looked_up(own_type), NOW)
    event = translation.event

    assert type(event) is model
    assert isinstance(event, BookingEvent)
    assert (event.title, event.customer.name) == ("Room viewing", "Ada Guest")
    assert (event.starts_at, event.ends_at) == (NOW + timedelta(days=3), NOW + timedelta(days=3, hours=1))
    assert translation.token == TOKEN


def test_moving_an_appointment_twice_is_told_twice() -> None:
    """Both calls have the same bytes; the appointment's time tells them apart."""
    first = translate(looked_up("rescheduled"), NOW)
    second = translate(
        looked_up("rescheduled", datetime="2026-12-01T10:00:00+0100"), NOW + timedelta(hours=1)
    )

    assert isinstance(second.event, BookingRescheduled)
    assert first.idempotency_key != second.idempotency_key
    assert (first.event.rank or 0) < (second.event.rank or 0)


def test_the_appointment_is_asked_for_with_user_and_key() -> None:
    """The secret is the API key."""
    asked = question(genuine(PROVIDER, "scheduled"))

    assert asked is not None
    assert asked.url.startswith("https://acuityscheduling.com/api/v1/appointments/")
    assert dict(asked.headers)["Authorization"].startswith("Basic ")


def test_an_order_is_not_looked_up_as_an_appointment() -> None:
    """Its id is of another kind; it keeps its name."""
    order = call(b"action=order.completed&id=9")

    assert question(order) is None
    assert translate(order, NOW).event.type == "acuity.order.completed"


def test_a_change_of_something_else_keeps_its_name() -> None:
    """`changed` comes beside each of the others and must not act a second time."""
    assert translate(call(b"action=changed&id=9"), NOW).event.type == "acuity.changed"


def test_a_webhook_that_the_api_made_says_the_same() -> None:
    """Its actions have a noun before them."""
    assert translate(call(b"action=appointment.canceled&id=9"), NOW).event.type == "booking.canceled"


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"action=scheduled", b"id=9", b"action=scheduled&id=x", b"action=a&action=b&id=1", b"\xff"],
)
def test_another_form_is_unreadable(body: bytes) -> None:
    """And nothing is asked about it."""
    with pytest.raises(Unreadable):
        translate(call(body), NOW)
    assert question(call(body)) is None


def test_the_user_must_be_named() -> None:
    """Without it no appointment can be looked up, and no token found."""
    with pytest.raises(ValidationError):
        PROVIDER.configured({})
