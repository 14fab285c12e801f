"""Every event that has a word of ours, and the way back from its stored form."""

from typing import Final

from routers.bookings.events import BOOKING_EVENTS
from routers.event import Carried, Event, OtherEvent
from routers.events.event import ServiceEvent
from routers.exact_json import parse_exact
from routers.payments.events import PAYMENT_EVENTS
from routers.payments.subscriptions import SUBSCRIPTION_EVENTS

EVENTS: Final[dict[str, type[Event]]] = {
    str(model.model_fields["type"].default): model
    for model in (*PAYMENT_EVENTS, *SUBSCRIPTION_EVENTS, *BOOKING_EVENTS)
}


def parse_event(stored: bytes) -> Event:
    """
    The event that `Event.encode` wrote, as the model of its type; one that is `Carried` is there already.

    Raises:
        ValueError: *stored* was not written by `Event.encode`, or by a later version of it.
    """
    if isinstance(stored, Carried):
        return stored.event
    try:
        raw = parse_exact(stored)
        other = ServiceEvent if "payload" in raw else OtherEvent
        return EVENTS.get(raw["type"], other).model_validate(raw)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError("not a stored event") from error
