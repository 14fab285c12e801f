"""Events that are kept, as JSON: the same for the command line and over HTTP."""

import base64
from datetime import UTC, datetime
from typing import Any

from state.dead_letters import DeadLetter
from state.kept import KeptEvent
from state.waiting_events import ParkedEvent


def told(event: KeptEvent, *, body: bool) -> dict[str, Any]:
    """Return what there is to say of *event*; its *body* as text, or in base64 if it is none."""
    envelope, conversation = event.envelope, event.conversation
    facts: dict[str, Any] = {
        "id": event.id,
        "source": envelope.source,
        "type": envelope.type,
        "idempotency_key": envelope.idempotency_key,
        "received_at": _moment(envelope.received_at_ms),
        "kept_since": _moment(event.kept_since_ms),
        "conversation": conversation.encode() if conversation is not None else None,
        "token": envelope.token,
    }
    if isinstance(event, DeadLetter):
        facts |= {
            "reason": event.reason,
            "detail": event.detail,
            "attempts": event.attempts,
            "calls": list(event.calls),
        }
    if isinstance(event, ParkedEvent):
        facts["parked_until"] = _moment(event.until_ms)
    return facts | _told_body(envelope.body) if body else facts


def _told_body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
