"""Razorpay's events: https://razorpay.com/docs/webhooks/payloads/payments/."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

import orjson

from routers.provider import Example


def _example(own_type: str, status: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        number = hashlib.sha256((example.object_id or example.token).encode()).hexdigest()[:14]
        payment = {
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
        event = {
            "entity": "event",
            "event": own_type,
            "contains": ["payment"],
            "payload": {"payment": {"entity": payment}},
            "created_at": int(example.at.timestamp()),
        }
        return orjson.dumps(event)

    return body


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "payment.authorized": _example("payment.authorized", "authorized"),
    "payment.captured": _example("payment.captured", "captured"),
    "payment.failed": _example("payment.failed", "failed"),
    "refund.processed": _example("refund.processed", "refunded"),
}
"""One body for each of Razorpay's types that has a word of ours."""
