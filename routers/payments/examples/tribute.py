"""Tribute's events: https://wiki.tribute.tg/for-content-creators/api-documentation/webhooks."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from routers.provider import Example


def _event(name: str, example: Example, payload: dict[str, Any]) -> bytes:
    at = example.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return orjson.dumps({"name": name, "created_at": at, "sent_at": at, "payload": payload})


def _order(name: str, status: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        seed = hashlib.sha256((example.object_id or example.token).encode()).digest()
        payload = {
            "uuid": example.object_id or str(UUID(bytes=seed[:16])),
            "status": status,
            "amount": example.amount_minor,
            "currency": example.currency.lower(),
            "customerId": example.token,
        }
        return _event(name, example, payload)

    return body


def _subscription(name: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        payload = {
            "subscription_name": "Letters from the bot",
            "subscription_id": 1644,
            "period": "monthly",
            "price": example.amount_minor,
            "amount": example.amount_minor * 9 // 10,
            "currency": example.currency.lower(),
            "user_id": 31326,
            "telegram_user_id": 12321321,
            "channel_id": 614,
            "expires_at": (example.at.astimezone(UTC) + timedelta(days=30)).isoformat(),
        }
        return _event(name, example, payload)

    return body


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "shop_order": _order("shop_order", "paid"),
    "shop_order_payment_failed": _order("shop_order_payment_failed", "failed"),
    "shop_order_cancelled": _order("shop_order_cancelled", "cancelled"),
    "new_subscription": _subscription("new_subscription"),
    "renewed_subscription": _subscription("renewed_subscription"),
    "cancelled_subscription": _subscription("cancelled_subscription"),
}
"""One body for each of Tribute's types that has a word of ours."""
