"""What a timer tells its conversation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from routers.event import Event
from state import values
from state.envelope import Envelope


class TimerFired(Event):
    """A timer's time has come; *type* is what `Director.after` was told, *object_id* the timer's name."""

    provider: str = "timer"
    data: Mapping[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, envelope: Envelope) -> "TimerFired":
        """
        Return the event that *envelope* holds.

        Raises:
            ValueError: it does not hold a timer's.
        """
        body = values.load(envelope.body)
        if not isinstance(body, dict):
            raise ValueError("not a timer's event")  # noqa: TRY004 - unreadable, as any other body
        return cls(
            type=envelope.type,
            object_id=str(body.get("name")),
            occurred_at=datetime.fromtimestamp(envelope.received_at_ms / 1000, UTC),
            data=body.get("data") or {},
        )
