"""Payloads as the standard recommends them: https://www.standardwebhooks.com."""

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any, Final

import orjson

from routers.provider import Example


def _payload(own_type: str, example: Example, data: dict[str, Any]) -> bytes:
    at = example.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return orjson.dumps({"type": own_type, "timestamp": at, "data": data})


def _paid(example: Example) -> bytes:
    data = {
        "id": example.object_id or "inv_1",
        "amount": example.amount_minor,
        "currency": example.currency,
        "metadata": {"token": example.token},
    }
    return _payload("invoice.paid", example, data)


def _created(example: Example) -> bytes:
    return _payload("contact.created", example, {"id": example.object_id or "ct_1", "token": example.token})


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "invoice.paid": _paid,
    "contact.created": _created,
}
"""Two made-up types: each sender has its own."""
