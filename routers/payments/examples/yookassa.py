"""YooKassa's notifications, and the payments that its API answers: https://yookassa.ru/developers/using-api/webhooks."""

from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial
from typing import Any, Final

import orjson

from routers.payments.currency import literal
from routers.payments.examples.numbers import name_of
from routers.provider import Example


def _payment_id(example: Example) -> str:
    return example.object_id or f"{name_of(example, length=8)}-000f-5000-8000-{name_of(example, length=12)}"


def _payment(example: Example, status: str, refunded_minor: int = 0) -> dict[str, Any]:
    at = example.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    payment: dict[str, Any] = {
        "id": _payment_id(example),
        "status": status,
        "paid": status in {"succeeded", "waiting_for_capture"},
        "amount": {"value": literal(example.amount_minor, example.currency), "currency": example.currency},
        "created_at": at,
        "metadata": {"token": example.token},
        "refundable": status == "succeeded",
        "test": True,
    }
    if status == "succeeded":
        refunded = literal(refunded_minor, example.currency)
        payment["captured_at"] = at
        payment["refunded_amount"] = {"value": refunded, "currency": example.currency}
    if status == "canceled":
        payment["cancellation_details"] = {"party": "payment_network", "reason": "expired_on_confirmation"}
    return payment


def _half(example: Example) -> dict[str, Any]:
    return _payment(example, "succeeded", example.amount_minor // 2)


def _whole(example: Example) -> dict[str, Any]:
    return _payment(example, "succeeded", example.amount_minor)


_PAYMENTS: Final[Mapping[str, Callable[[Example], dict[str, Any]]]] = {
    "payment.waiting_for_capture": partial(_payment, status="waiting_for_capture"),
    "payment.succeeded": partial(_payment, status="succeeded"),
    "payment.canceled": partial(_payment, status="canceled"),
    "refund.succeeded:part": _half,
    "refund.succeeded": _whole,
}


def _notification(name: str, example: Example) -> bytes:
    event = name.partition(":")[0]
    payment = _PAYMENTS[name](example)
    subject = payment
    if event.startswith("refund"):
        subject = {
            "id": f"{name_of(example, name, length=8)}-0015-5000-8000-{name_of(example, length=12)}",
            "payment_id": payment["id"],
            "status": "succeeded",
            "amount": payment["refunded_amount"],
        }
    return orjson.dumps({"type": "notification", "event": event, "object": subject})


def _answer(name: str, example: Example) -> bytes:
    return orjson.dumps(_PAYMENTS[name](example))


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    name: partial(_notification, name) for name in _PAYMENTS
}
"""One notification for each of YooKassa's events of payments and refunds."""

API_EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    name: partial(_answer, name) for name in _PAYMENTS
}
"""What `GET /v3/payments/{id}` answers then."""
