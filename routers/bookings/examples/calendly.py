"""Calendly's calls: https://developer.calendly.com."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from routers.provider import Example


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _example(own_type: str, status: str, **extra: Any) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        number = hashlib.sha256((example.object_id or example.token).encode()).hexdigest()[:16]
        starts_at = (example.at + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
        scheduled = f"https://api.calendly.com/scheduled_events/{number}"
        payload = {
            "uri": f"{scheduled}/invitees/{number}",
            "name": "Ada Guest",
            "email": "guest@example.com",
            "timezone": "Europe/Berlin",
            "status": status,
            "rescheduled": False,
            "old_invitee": None,
            "new_invitee": None,
            "scheduled_event": {
                "uri": scheduled,
                "name": "Consultation",
                "start_time": _time(starts_at),
                "end_time": _time(starts_at + timedelta(hours=1)),
            },
            "tracking": {"utm_source": "telegram", "utm_content": example.token, "salesforce_uuid": None},
            **extra,
        }
        return orjson.dumps({"event": own_type, "created_at": _time(example.at), "payload": payload})

    return body


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "invitee.created": _example("invitee.created", "active"),
    "invitee.canceled": _example(
        "invitee.canceled", "canceled", cancellation={"canceled_by": "Ada Guest", "reason": "Plans changed"}
    ),
}
"""One body for each of Calendly's types that has a word of ours and a token with it."""
