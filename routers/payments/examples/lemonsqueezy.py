"""Lemon Squeezy's events: https://docs.lemonsqueezy.com/help/webhooks/example-payloads."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, Final

import orjson

from routers.provider import Example


def _number(example: Example, salt: str) -> int:
    seed = f"{example.object_id or example.token}/{salt}".encode()
    return int(hashlib.sha256(seed).hexdigest()[:6], 16)


def _event(example: Example, name: str, own_type: str, attributes: dict[str, Any]) -> bytes:
    number = str(_number(example, own_type))
    at = example.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return orjson.dumps(
        {
            "meta": {"event_name": name, "custom_data": {"token": example.token}, "test_mode": True},
            "data": {
                "type": own_type,
                "id": number,
                "attributes": {
                    "store_id": 1,
                    "user_name": "Ada Guest",
                    "user_email": "guest@example.com",
                    **attributes,
                    "created_at": at,
                    "updated_at": at,
                    "test_mode": True,
                },
                "links": {"self": f"https://api.lemonsqueezy.com/v1/{own_type}/{number}"},
            },
        }
    )


def _order(name: str, status: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        refunded = status == "refunded"
        attributes = {
            "identifier": "104e18a2-d755-4d4b-80c4-a6c1dcbe1c10",
            "order_number": _number(example, "number"),
            "currency": example.currency,
            "status": status,
            "refunded": refunded,
            "refunded_amount": example.amount_minor if refunded else 0,
            "subtotal": example.amount_minor,
            "discount_total": 0,
            "tax": 0,
            "total": example.amount_minor,
        }
        return _event(example, name, "orders", attributes)

    return body


def _subscription(name: str, status: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        renews_at = (example.at.astimezone(UTC) + timedelta(days=30)).isoformat()
        attributes = {
            "order_id": _number(example, "orders"),
            "product_name": "Room for a month",
            "status": status,
            "cancelled": status == "cancelled",
            "renews_at": renews_at,
            "ends_at": renews_at if status in {"cancelled", "expired"} else None,
        }
        return _event(example, name, "subscriptions", attributes)

    return body


def _invoice(name: str, status: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        attributes = {
            "subscription_id": _number(example, "subscriptions"),
            "billing_reason": "renewal",
            "currency": example.currency,
            "status": status,
            "subtotal": example.amount_minor,
            "total": example.amount_minor,
            "refunded_amount": 0,
        }
        return _event(example, name, "subscription-invoices", attributes)

    return body


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "order_created": _order("order_created", "paid"),
    "order_refunded": _order("order_refunded", "refunded"),
    "subscription_created": _subscription("subscription_created", "active"),
    "subscription_resumed": _subscription("subscription_resumed", "active"),
    "subscription_unpaused": _subscription("subscription_unpaused", "active"),
    "subscription_paused": _subscription("subscription_paused", "paused"),
    "subscription_cancelled": _subscription("subscription_cancelled", "cancelled"),
    "subscription_expired": _subscription("subscription_expired", "expired"),
    "subscription_payment_success": _invoice("subscription_payment_success", "paid"),
    "subscription_payment_recovered": _invoice("subscription_payment_recovered", "paid"),
    "subscription_payment_failed": _invoice("subscription_payment_failed", "pending"),
}
"""One body for each of Lemon Squeezy's types that has a word of ours."""
