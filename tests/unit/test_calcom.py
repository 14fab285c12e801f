"""Cal.com's calls in our words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from routers.bookings.calcom import PROVIDER, TRANSLATIONS, translate
from routers.bookings.events import BookingCanceled, BookingEvent, BookingRejected, BookingRescheduled
from routers.document import Unreadable
from routers.event import OtherEvent
from routers.provider import Example, Translation
from tests.unit.calls import NOW, TOKEN, call, genuine


def changed(trigger: str, **fields: Any) -> Translation:
    """The translation of the example for *trigger* with *fields* of its payload replaced."""
    body = orjson.loads(genuine(PROVIDER, trigger).body)
    body["payload"].update(fields)
    return translate(call(orjson.dumps(body)), NOW)


@pytest.mark.parametrize("trigger, model", TRANSLATIONS.items())
def test_each_trigger_has_its_word(trigger: str, model: type[BookingEvent]) -> None:
    """With the booking's uid as its object and the time at which Cal.com says it happened."""
    event = translate(genuine(PROVIDER, trigger, Example(TOKEN, NOW, object_id="bFJeNb2u")), NOW).event

    assert type(event) is model
    assert event.object_id.startswith("bFJeNb2u")
    assert event.occurred_at == NOW


def test_times_customer_and_token_come_along() -> None:
    """Who booked is a hint; the token is what finds the conversation."""
    translation = translate(genuine(PROVIDER, "BOOKING_CREATED"), NOW)
    event = translation.event

    assert isinstance(event, BookingEvent)
    assert event.starts_at == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert event.ends_at == datetime(2026, 11, 25, 13, tzinfo=UTC)
    assert (event.customer.name, event.customer.timezone) == ("Ada Guest", "Europe/Berlin")
    assert translation.token == TOKEN


def test_a_meeting_carries_its_booking_beside_the_trigger() -> None:
    """Scheduled triggers have no `payload`; the token is found all the same."""
    translation = translate(genuine(PROVIDER, "MEETING_ENDED"), NOW)

    assert translation.event.type == "booking.ended"
    assert translation.token == TOKEN


def test_a_moved_booking_names_the_one_that_it_replaces() -> None:
    """Cal.com gives it a new uid."""
    event = translate(
        genuine(PROVIDER, "BOOKING_RESCHEDULED", Example(TOKEN, NOW, object_id="uid")), NOW
    ).event

    assert isinstance(event, BookingRescheduled)
    assert (event.object_id, event.previous_object_id) == ("uid-2", "uid")


def test_reasons_come_along() -> None:
    """Why it was called off or turned down."""
    canceled = translate(genuine(PROVIDER, "BOOKING_CANCELLED"), NOW).event
    rejected = translate(genuine(PROVIDER, "BOOKING_REJECTED"), NOW).event

    assert isinstance(canceled, BookingCanceled)
    assert canceled.reason == "Plans changed"
    assert isinstance(rejected, BookingRejected)
    assert rejected.reason == "Fully booked"


def test_trigger_booking_and_time_are_the_idempotency_key() -> None:
    """A repeat has the same one; the same trigger for the same booking at another time has its own."""
    first = Example(TOKEN, NOW, object_id="uid")
    later = Example(TOKEN, NOW + timedelta(minutes=5), object_id="uid")
    keys = [
        translate(genuine(PROVIDER, "BOOKING_CREATED", example), NOW).idempotency_key
        for example in (first, first, later)
    ]

    assert keys[0] == keys[1] == "BOOKING_CREATED:uid:2026-11-24T12:00:00.000Z"
    assert keys[2] != keys[0]


def test_without_a_booking_the_bytes_are_the_key() -> None:
    """A ping, a form: kept under its own name."""
    translation = translate(call(b'{"triggerEvent":"PING","payload":{"type":"Test"}}'), NOW)

    assert type(translation.event) is OtherEvent
    assert translation.event.type == "calcom.PING"
    assert translation.idempotency_key.startswith("sha256:")


def test_a_no_show_that_is_taken_back_is_another_event() -> None:
    """The trigger is the same; only the attendee's mark tells."""
    taken_back = changed("BOOKING_NO_SHOW_UPDATED", attendees=[{"email": "a@example.com", "noShow": False}])

    assert taken_back.event.type == "calcom.BOOKING_NO_SHOW_UPDATED"


def test_a_very_long_uid_does_not_make_a_very_long_key() -> None:
    """Keys in Redis stay bounded, whatever a provider sends."""
    assert len(changed("BOOKING_CREATED", uid="u" * 5000).idempotency_key) < 100


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b'{"triggerEvent":7}', b"type=60min&title=x"])
def test_a_body_in_another_form_is_unreadable(body: bytes) -> None:
    """A custom payload template, for one, is not what we know."""
    with pytest.raises(Unreadable):
        translate(call(body), NOW)
