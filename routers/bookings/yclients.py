"""YCLIENTS: visits made, changed, deleted. Its calls prove nothing but that they know a secret address."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from routers.bookings.events import (
    BookingCanceled,
    BookingCreated,
    BookingEvent,
    BookingNoShow,
    BookingRescheduled,
)
from routers.bookings.examples import yclients as examples
from routers.call import Call
from routers.document import Document, find_token
from routers.event import Customer, Event, OtherEvent
from routers.provider import Proof, Provider, Translation, digest_key, idempotency_key
from routers.verification import SharedToken, in_path

KIND: Final = "yclients"
DOCUMENTATION: Final = "https://developers.yclients.com/ru/#tag/Webhooks"

CHANGES: Final[Mapping[str, type[BookingEvent]]] = {
    "create": BookingCreated,
    # Of any kind: whether the time is another one, the handler sees by `starts_at`.
    "update": BookingRescheduled,
    "delete": BookingCanceled,
}
MISSED: Final = -1
"""https://developers.yclients.com/ru/: `attendance` of a guest who did not come."""
LONGEST_SECONDS: Final = 60 * 60 * 24 * 31


def translate(call: Call, now: datetime) -> Translation:
    """
    A change in our words.

    It has no id: resource, change and its time are the idempotency key, and the bytes where no time is told.
    """
    body = Document.from_json(call.content)
    resource, change = body.text("resource"), body.text("status")
    number = body.literal("resource_id")
    data = body.find_object("data")
    changed_at = data.find_text("last_change_date")
    model = CHANGES.get(change) if resource == "record" else None
    if model is BookingRescheduled and data.find_integer("attendance") == MISSED:
        model = BookingNoShow
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": f"{resource}/{number}",
        "occurred_at": data.find_time("last_change_date") or now,
        "customer": Customer(
            name=data.find_text("client", "name"),
            email=data.find_text("client", "email"),
            phone=data.find_text("client", "phone"),
        ),
    }
    event: Event = (
        OtherEvent(type=f"{KIND}.{resource}.{change}", **common)
        if model is None
        else model(**common, **_appointment(data))
    )
    parts = (
        (resource, number, change, changed_at)
        if changed_at
        else (resource, number, change, digest_key(call.body))
    )
    token = find_token(data.find_text("api_id"), data.find_text("custom_fields", "token"))
    return Translation(idempotency_key(*parts), event, token)


def _appointment(data: Document) -> dict[str, Any]:
    services = data.find_objects("services")
    starts_at = data.find_time("datetime")
    lasts_seconds = data.find_integer("seance_length")
    ends_at = None
    if starts_at is not None and lasts_seconds is not None and 0 < lasts_seconds <= LONGEST_SECONDS:
        ends_at = _later(starts_at, timedelta(seconds=lasts_seconds))
    title = services[0].find_text("title") if services else None
    return {"title": title, "starts_at": starts_at, "ends_at": ends_at}


def _later(moment: datetime, by: timedelta) -> datetime | None:
    try:
        return moment + by
    except OverflowError:
        return None


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SharedToken(in_path).verify,
    translate=translate,
    # One attempt and no repeat. Whoever has the address can send anything again: a month.
    remember_for=timedelta(days=31),
    documentation=DOCUMENTATION,
    proof=Proof.TOKEN,
    rewrite=examples.rewrite,
    examples=examples.EXAMPLES,
)
