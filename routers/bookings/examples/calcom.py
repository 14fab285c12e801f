"""Cal.com's calls: https://cal.com/docs/developing/guides/automation/webhooks#an-example-webhook-payload."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from routers.provider import Example


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _uid(example: Example) -> str:
    return example.object_id or hashlib.sha256(example.token.encode()).hexdigest()[:22]


def _payload(example: Example, status: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    starts_at = (example.at + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    guest = {
        "email": "guest@example.com",
        "name": "Ada Guest",
        "timeZone": "Europe/Berlin",
        "language": {"locale": "en"},
    }
    return {
        "type": "60min",
        "title": "60min between Grand Hotel and Ada Guest",
        "description": "",
        "additionalNotes": "",
        "customInputs": {},
        "startTime": _time(starts_at),
        "endTime": _time(starts_at + timedelta(hours=1)),
        "organizer": {
            "id": 5,
            "name": "Grand Hotel",
            "email": "desk@example.com",
            "username": "grand",
            "timeZone": "Europe/Berlin",
            "language": {"locale": "en"},
            "timeFormat": "h:mma",
        },
        "responses": {
            "name": {"label": "your_name", "value": guest["name"]},
            "email": {"label": "email_address", "value": guest["email"]},
        },
        "userFieldsResponses": {},
        "attendees": [guest],
        "location": "Front desk",
        "destinationCalendar": None,
        "hideCalendarNotes": False,
        "requiresConfirmation": None,
        "eventTypeId": 7,
        "uid": _uid(example),
        "eventTitle": "60min",
        "eventDescription": "",
        "price": 0,
        "currency": "usd",
        "length": 60,
        "bookingId": 91,
        "metadata": {"token": example.token},
        "status": status,
        **extra,
    }


def _example(trigger: str, status: str, **extra: Any) -> Callable[[Example], bytes]:
    return lambda example: orjson.dumps(
        {
            "triggerEvent": trigger,
            "createdAt": _time(example.at),
            "payload": _payload(example, status, extra),
        }
    )


def _meeting(trigger: str) -> Callable[[Example], bytes]:
    return lambda example: orjson.dumps(
        {"triggerEvent": trigger, "createdAt": _time(example.at), **_payload(example, "ACCEPTED", {})}
    )


def _rescheduled(example: Example) -> bytes:
    moved = {"uid": f"{_uid(example)}-2", "rescheduleUid": _uid(example), "rescheduleId": 91}
    return _example("BOOKING_RESCHEDULED", "ACCEPTED", **moved)(example)


def _no_show(example: Example) -> bytes:
    payload = {
        "message": "guest@example.com marked as no-show",
        "bookingUid": _uid(example),
        "bookingId": 91,
        "attendees": [{"email": "guest@example.com", "noShow": True}],
    }
    body = {"triggerEvent": "BOOKING_NO_SHOW_UPDATED", "createdAt": _time(example.at), "payload": payload}
    return orjson.dumps(body)


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "BOOKING_REQUESTED": _example("BOOKING_REQUESTED", "PENDING"),
    "BOOKING_CREATED": _example("BOOKING_CREATED", "ACCEPTED"),
    "BOOKING_RESCHEDULED": _rescheduled,
    "BOOKING_CANCELLED": _example("BOOKING_CANCELLED", "CANCELLED", cancellationReason="Plans changed"),
    "BOOKING_REJECTED": _example("BOOKING_REJECTED", "REJECTED", rejectionReason="Fully booked"),
    "BOOKING_NO_SHOW_UPDATED": _no_show,
    "MEETING_STARTED": _meeting("MEETING_STARTED"),
    "MEETING_ENDED": _meeting("MEETING_ENDED"),
}
"""One body for each of Cal.com's triggers that has a word of ours."""
