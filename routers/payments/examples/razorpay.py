"""Razorpay's events: https://razorpay.com/docs/webhooks/payloads/payments/."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from routers.provider import Example


def _number(example: Example) -> str:
    return hashlib.sha256((example.object_id or example.token).encode()).hexdigest()[:14]


def _payment(example: Example, status: str) -> dict[str, Any]:
    number = _number(example)
    return {
        "id": f"pay_{number}",
        "entity": "payment",
        "amount": example.amount_minor,
        "currency": example.currency,
        "status": status,
        "order_id": f"order_{number}",
        "amount_refunded": example.amount_minor if status == "refunded" else 0,
        "email": "guest@example.com",
        "contact": "+919876543210",
        "notes": {"token": example.token},
        "error_reason": "payment_failed" if status == "failed" else None,
    }


def _event(own_type: str, example: Example, payload: dict[str, Any]) -> bytes:
    event = {
        "entity": "event",
        "event": own_type,
        "contains": list(payload),
        "payload": {name: {"entity": entity} for name, entity in payload.items()},
        "created_at": int(example.at.timestamp()),
    }
    return orjson.dumps(event)


def _example(own_type: str, status: str) -> Callable[[Example], bytes]:
    return lambda example: _event(own_type, example, {"payment": _payment(example, status)})


def _subscription(own_type: str, status: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        begins = int(example.at.timestamp())
        subscription = {
            "id": f"sub_{_number(example)}",
            "entity": "subscription",
            "status": status,
            "current_start": begins,
            "current_end": begins + 30 * 86_400,
            "notes": {"token": example.token},
        }
        charged = {"payment": _payment(example, "captured")} if own_type == "subscription.charged" else {}
        return _event(own_type, example, {"subscription": subscription, **charged})

    return body


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "payment.authorized": _example("payment.authorized", "authorized"),
    "payment.captured": _example("payment.captured", "captured"),
    "payment.failed": _example("payment.failed", "failed"),
    "refund.processed": _example("refund.processed", "refunded"),
    "subscription.activated": _subscription("subscription.activated", "active"),
    "subscription.charged": _subscription("subscription.charged", "active"),
    "subscription.pending": _subscription("subscription.pending", "pending"),
    "subscription.halted": _subscription("subscription.halted", "halted"),
    "subscription.paused": _subscription("subscription.paused", "paused"),
    "subscription.resumed": _subscription("subscription.resumed", "active"),
    "subscription.cancelled": _subscription("subscription.cancelled", "cancelled"),
    "subscription.completed": _subscription("subscription.completed", "completed"),
}
"""One body for each of Razorpay's types that has a word of ours."""
