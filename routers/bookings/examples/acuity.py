"""Acuity's calls and appointments: https://developers.acuityscheduling.com/docs/webhooks."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Final
from urllib.parse import urlencode

import orjson

from routers.provider import Example


def _number(example: Example) -> int:
    return int(hashlib.sha256((example.object_id or example.token).encode()).hexdigest()[:7], 16)


def _call(action: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        fields = {"action": action, "id": _number(example), "calendarID": 1, "appointmentTypeID": 2}
        return urlencode(fields).encode()

    return body


def _appointment(*, canceled: bool = False) -> Callable[[Example], bytes]:
    def answer(example: Example) -> bytes:
        starts_at = example.at.astimezone(UTC) + timedelta(days=3)
        return orjson.dumps(
            {
                "id": _number(example),
                "firstName": "Ada",
                "lastName": "Guest",
                "phone": "",
                "email": "guest@example.com",
                "type": "Room viewing",
                "datetime": starts_at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
                "duration": "60",
                "calendarID": 1,
                "timezone": "Europe/Berlin",
                "canceled": canceled,
                "forms": [{"id": 1, "name": "Booking", "values": [{"fieldID": 7, "value": example.token}]}],
                "notes": "",
            }
        )

    return answer


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    action: _call(action) for action in ("scheduled", "rescheduled", "canceled")
}
"""One body for each of Acuity's actions that has a word of ours."""

API_EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    action: _appointment(canceled=action == "canceled") for action in EXAMPLES
}
"""What the API answers about the appointment meanwhile."""
