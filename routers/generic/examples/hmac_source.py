"""A made-up shop, described as `gateway.toml` would describe it."""

from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, Final

import orjson

from routers.payments.currency import literal
from routers.provider import Example

OPTIONS: Final[Mapping[str, Any]] = {
    "provider": "shop",
    "signature": {
        "header": "X-Shop-Signature",
        "pairs": {"separator": ",", "timestamp": "t", "signature": "v1"},
        "signed": "{timestamp}.{body}",
        "tolerance_seconds": 300,
    },
    "read": {
        "id": "id",
        "type": "type",
        "object": "data.order",
        "token": ["data.reference", "data.metadata.token"],
        "time": "created",
        "amount": "data.total",
        "currency": "data.currency",
        "unit": "major",
        "customer": {"email": "data.buyer.email"},
    },
    "events": {
        "order.paid": "payment.succeeded",
        "order.failed": {"event": "payment.failed", "reason": "data.why"},
        "visit.booked": {
            "event": "booking.created",
            "title": "data.title",
            "starts_at": "data.from",
            "ends_at": "data.until",
        },
    },
}


def _call(own_type: str, example: Example, data: dict[str, Any]) -> bytes:
    members = {
        "id": example.event_id or f"{own_type}/{example.object_id or example.token}",
        "type": own_type,
        "created": int(example.at.timestamp()),
        "data": {
            "order": example.object_id or f"order-{example.token}",
            "reference": example.token,
            "buyer": {"email": "guest@example.com"},
            **data,
        },
    }
    return orjson.dumps(members)


def _order(own_type: str, **more: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        total = literal(example.amount_minor, example.currency)
        return _call(own_type, example, {"total": total, "currency": example.currency, **more})

    return body


def _visit(example: Example) -> bytes:
    begins = example.at.astimezone(UTC) + timedelta(days=3)
    ends = begins + timedelta(hours=1)
    return _call(
        "visit.booked",
        example,
        {"title": "A look at the room", "from": begins.isoformat(), "until": ends.isoformat()},
    )


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "order.paid": _order("order.paid"),
    "order.failed": _order("order.failed", why="card declined"),
    "visit.booked": _visit,
}
"""One body for each type that `OPTIONS` has a word of ours for."""
