"""Paddle's events: https://developer.paddle.com/webhooks/overview."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, Final

import orjson

from routers.provider import Example


def _id(prefix: str, example: Example, salt: str = "") -> str:
    seed = f"{example.object_id or example.token}/{prefix}/{salt}".encode()
    return f"{prefix}_01{hashlib.sha256(seed).hexdigest()[:24]}"


def _event(example: Example, own_type: str, subject: dict[str, Any]) -> bytes:
    at = example.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return orjson.dumps(
        {
            "event_id": example.event_id or _id("evt", example, own_type),
            "event_type": own_type,
            "occurred_at": at,
            "notification_id": _id("ntf", example, own_type),
            "data": subject,
        }
    )


def _transaction(own_type: str, status: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        total = str(example.amount_minor)
        failed = own_type == "transaction.payment_failed"
        subject = {
            "id": example.object_id or _id("txn", example),
            "status": status,
            "origin": "web",
            "customer_id": _id("ctm", example),
            "currency_code": example.currency,
            "custom_data": {"token": example.token},
            "subscription_id": None,
            "billing_period": None,
            "details": {
                "totals": {
                    "subtotal": total,
                    "tax": "0",
                    "total": total,
                    "grand_total": total,
                    "currency_code": example.currency,
                }
            },
            "payments": [
                {"status": "error" if failed else "captured", "error_code": "declined" if failed else None}
            ],
        }
        return _event(example, own_type, subject)

    return body


def _adjustment(own_type: str, action: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        subject = {
            "id": _id("adj", example, action),
            "action": action,
            "type": "full",
            "status": "approved",
            "transaction_id": example.object_id or _id("txn", example),
            "currency_code": example.currency,
            "totals": {"total": str(example.amount_minor), "currency_code": example.currency},
        }
        return _event(example, own_type, subject)

    return body


def _subscription(own_type: str, status: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        begins = example.at.astimezone(UTC)
        subject = {
            "id": example.object_id or _id("sub", example),
            "status": status,
            "currency_code": example.currency,
            "custom_data": {"token": example.token},
            "current_billing_period": {
                "starts_at": begins.isoformat(),
                "ends_at": (begins + timedelta(days=30)).isoformat(),
            },
        }
        return _event(example, own_type, subject)

    return body


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "transaction.paid": _transaction("transaction.paid", "paid"),
    "transaction.completed": _transaction("transaction.completed", "completed"),
    "transaction.payment_failed": _transaction("transaction.payment_failed", "ready"),
    "transaction.canceled": _transaction("transaction.canceled", "canceled"),
    "adjustment.created": _adjustment("adjustment.created", "chargeback"),
    "adjustment.updated": _adjustment("adjustment.updated", "refund"),
    "subscription.activated": _subscription("subscription.activated", "active"),
    "subscription.trialing": _subscription("subscription.trialing", "trialing"),
    "subscription.past_due": _subscription("subscription.past_due", "past_due"),
    "subscription.paused": _subscription("subscription.paused", "paused"),
    "subscription.resumed": _subscription("subscription.resumed", "active"),
    "subscription.canceled": _subscription("subscription.canceled", "canceled"),
}
"""One body for each of Paddle's types that has a word of ours."""
