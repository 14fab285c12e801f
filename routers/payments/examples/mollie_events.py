"""Mollie's events with the full payload: https://docs.mollie.com/reference/webhooks-new."""

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Final

import orjson

from routers.payments.currency import literal
from routers.payments.examples.numbers import name_of
from routers.provider import Example


def _link_paid(example: Example) -> bytes:
    link_id = example.object_id or f"pl_{name_of(example, length=20)}"
    at = example.at.astimezone(UTC).isoformat(timespec="seconds")
    amount = {"value": literal(example.amount_minor, example.currency), "currency": example.currency}
    link = {
        "resource": "payment-link",
        "id": link_id,
        "mode": "test",
        "description": example.token,
        "amount": amount,
        "paidAt": at,
    }
    return orjson.dumps(
        {
            "resource": "event",
            "id": example.event_id or f"event_{name_of(example, 'event', length=20)}",
            "type": "payment-link.paid",
            "entityId": link_id,
            "createdAt": at,
            "_embedded": {"entity": link},
        }
    )


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {"payment-link.paid": _link_paid}
"""The event that tells of money."""
