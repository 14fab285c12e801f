"""Calendly: what was booked, moved and called off."""

from datetime import timedelta

import orjson
import pytest

from routers.bookings import calendly
from routers.bookings.events import BookingCanceled, BookingCreated
from routers.provider import Example
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, call, genuine


def test_calendly_tells_bookings() -> None:
    """Made and called off, of one invitee; the token comes in `utm_content`."""
    made = calendly.translate(genuine(calendly.PROVIDER, "invitee.created"), NOW)
    off = calendly.translate(genuine(calendly.PROVIDER, "invitee.canceled"), NOW)

    assert isinstance(made.event, BookingCreated)
    assert isinstance(off.event, BookingCanceled)
    assert (off.event.reason, off.event.object_id) == ("Plans changed", made.event.object_id)
    assert made.token == off.token == TOKEN
    assert made.idempotency_key != off.idempotency_key


def test_a_move_in_calendly_is_no_cancellation() -> None:
    """The old invitee is canceled with `rescheduled`; the new one is told by a call of its own."""
    body = orjson.loads(genuine(calendly.PROVIDER, "invitee.canceled").body)
    body["payload"]["rescheduled"] = True

    assert calendly.translate(call(orjson.dumps(body)), NOW).event.type == "calendly.invitee.canceled"


@pytest.mark.parametrize(
    "late, reason",
    [(timedelta(seconds=181), RefusalReason.TOO_OLD), (timedelta(seconds=-181), RefusalReason.IN_FUTURE)],
)
def test_calendly_is_believed_for_three_minutes(late: timedelta, reason: RefusalReason) -> None:
    """Both ways."""
    sent = genuine(calendly.PROVIDER, "invitee.created", Example(TOKEN, NOW - late))

    with pytest.raises(Refused) as caught:
        calendly.PROVIDER.verify(sent, [Secret(SECRET)], NOW)
    assert caught.value.reason is reason
