"""Mollie's classic calls, and the payments that its API answers: https://docs.mollie.com/reference/get-payment."""

from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from routers.payments.currency import literal
from routers.payments.examples.numbers import name_of
from routers.provider import Example


def _payment_id(example: Example) -> str:
    return example.object_id or f"tr_{name_of(example, length=10)}"


def _call(example: Example) -> bytes:
    return urlencode({"id": _payment_id(example)}).encode()


def _payment(
    status: str, example: Example, *, refunded_minor: int | None = None, charged_back: bool = False
) -> bytes:
    at = example.at.astimezone(UTC).isoformat(timespec="seconds")

    def money(amount_minor: int) -> dict[str, str]:
        return {"value": literal(amount_minor, example.currency), "currency": example.currency}

    payment: dict[str, Any] = {
        "resource": "payment",
        "id": _payment_id(example),
        "mode": "test",
        "status": status,
        "createdAt": at,
        "amount": money(example.amount_minor),
        "description": "Room 12",
        "metadata": {"token": example.token},
        "method": "creditcard",
    }
    if status == "paid":
        payment["paidAt"] = at
        payment["amountRefunded"] = money(refunded_minor or 0)
    if status == "failed":
        payment["details"] = {"failureReason": "insufficient_funds"}
    if charged_back:
        payment["amountChargedBack"] = money(example.amount_minor)
    return orjson.dumps(payment)


def _half(example: Example) -> bytes:
    return _payment("paid", example, refunded_minor=example.amount_minor // 2)


def _whole(example: Example) -> bytes:
    return _payment("paid", example, refunded_minor=example.amount_minor)


API_EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    **{
        status: partial(_payment, status)
        for status in ("pending", "authorized", "paid", "failed", "canceled", "expired")
    },
    "paid:partly_refunded": _half,
    "paid:refunded": _whole,
    "paid:charged_back": partial(_payment, "paid", charged_back=True),
}
"""What `GET /v2/payments/{id}` answers, by its status."""

EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = dict.fromkeys(API_EXAMPLES, _call)
"""The call is the same each time: an id."""
