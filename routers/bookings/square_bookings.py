"""Square Appointments: what a booking in one of Square's events means."""

from datetime import datetime, timedelta
from typing import Any, Final

from routers.bookings.events import (
    BookingCanceled,
    BookingCreated,
    BookingEvent,
    BookingNoShow,
    BookingRejected,
    BookingRequested,
    BookingRescheduled,
)
from routers.document import Document

# https://developer.squareup.com/reference/square/objects/Booking, "status"
STATUS: Final[dict[str, type[BookingEvent]]] = {
    "PENDING": BookingRequested,
    "ACCEPTED": BookingCreated,
    "DECLINED": BookingRejected,
    "CANCELLED_BY_CUSTOMER": BookingCanceled,
    "CANCELLED_BY_SELLER": BookingCanceled,
    "NO_SHOW": BookingNoShow,
}
LONGEST_MINUTES: Final = 60 * 24 * 31


def translate_booking(booking: Document, *, moved: bool, common: dict[str, Any]) -> BookingEvent | None:
    """
    The booking as its status tells it; None for a status that we have no word for.

    https://developer.squareup.com/docs/bookings-api/use-webhooks: there are `created` and `updated` only, and
    nothing says what an update changed. An updated, accepted booking (*moved*) is told as rescheduled.
    """
    status = booking.find_text("status") or ""
    model, booking_id = STATUS.get(status), booking.find_text("id")
    if model is None or booking_id is None:
        return None
    if model is BookingCreated and moved:
        model = BookingRescheduled
    starts_at = booking.find_time("start_at")
    facts: dict[str, Any] = {
        **common,
        "object_id": booking_id,
        "occurred_at": booking.find_time("updated_at") or common["occurred_at"],
        "starts_at": starts_at,
        "ends_at": _ends_at(booking, starts_at),
    }
    if model is BookingCanceled:
        facts["reason"] = status.lower()
    return model(**facts)


def _ends_at(booking: Document, starts_at: datetime | None) -> datetime | None:
    segments = booking.find_objects("appointment_segments")
    minutes = sum(segment.find_integer("duration_minutes") or 0 for segment in segments)
    if starts_at is None or not 0 < minutes <= LONGEST_MINUTES:
        return None
    try:
        return starts_at + timedelta(minutes=minutes)
    except OverflowError:
        return None
