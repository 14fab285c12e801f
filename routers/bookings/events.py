"""What can happen to a booking."""

from datetime import datetime
from typing import ClassVar, Literal

from routers.event import RANK_STEP, Event


class BookingEvent(Event):
    """One step of one booking, the *object_id*. Times are the appointment's own."""

    level: ClassVar[int] = 0

    title: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def rank(self) -> int | None:
        """Return the step's place in the life of a booking; a late earlier step changes nothing."""
        return self.level * RANK_STEP


class BookingRequested(BookingEvent):
    """Asked for; the host has to confirm it."""

    level = 1
    type: Literal["booking.requested"] = "booking.requested"


class BookingCreated(BookingEvent):
    """Agreed."""

    level = 2
    type: Literal["booking.created"] = "booking.created"


class BookingRescheduled(BookingEvent):
    """Moved. *previous_object_id* is the booking that it replaces, where the provider gives a new id."""

    level = 3
    type: Literal["booking.rescheduled"] = "booking.rescheduled"
    previous_object_id: str | None = None
    reason: str | None = None

    @property
    def rank(self) -> int | None:
        """Return the level and, as a booking can be moved again under one id, the time of the move."""
        progress_ms = int(self.occurred_at.timestamp() * 1000)
        return self.level * RANK_STEP + min(max(0, progress_ms), RANK_STEP - 1)


class BookingStarted(BookingEvent):
    """The appointment's time has begun."""

    level = 4
    type: Literal["booking.started"] = "booking.started"


class BookingEnded(BookingEvent):
    """The appointment's time is over."""

    level = 5
    type: Literal["booking.ended"] = "booking.ended"


class BookingNoShow(BookingEvent):
    """The guest did not come."""

    level = 6
    type: Literal["booking.no_show"] = "booking.no_show"


class BookingRejected(BookingEvent):
    """The host said no."""

    level = 7
    type: Literal["booking.rejected"] = "booking.rejected"
    reason: str | None = None


class BookingCanceled(BookingEvent):
    """Called off."""

    level = 8
    type: Literal["booking.canceled"] = "booking.canceled"
    reason: str | None = None


BOOKING_EVENTS: tuple[type[BookingEvent], ...] = (
    BookingRequested,
    BookingCreated,
    BookingRescheduled,
    BookingStarted,
    BookingEnded,
    BookingNoShow,
    BookingRejected,
    BookingCanceled,
)
