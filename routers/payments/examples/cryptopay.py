"""Crypto Pay's updates: https://help.send.tg/en/articles/10279948-crypto-pay-api."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Final

import orjson

from routers.payments.currency import literal
from routers.provider import Example


def _paid(example: Example) -> bytes:
    seed = (example.object_id or example.token).encode()
    at = example.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    invoice = {
        "invoice_id": int(hashlib.sha256(seed).hexdigest()[:7], 16),
        "hash": hashlib.sha256(seed).hexdigest()[:12],
        "currency_type": "fiat",
        "fiat": example.currency,
        "amount": literal(example.amount_minor, example.currency),
        "paid_asset": "USDT",
        "paid_amount": "45.31",
        "status": "paid",
        "payload": example.token,
        "created_at": at,
        "paid_at": at,
    }
    return orjson.dumps(
        {"update_id": 1, "update_type": "invoice_paid", "request_date": at, "payload": invoice}
    )


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {"invoice_paid": _paid}
"""The one type of update that Crypto Pay sends."""
