"""LiqPay's callbacks, as the JSON that is wrapped into `data`: https://www.liqpay.ua/documentation/api/callback."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from routers.literal_json import Number, canonical
from routers.payments.currency import literal
from routers.payments.examples.numbers import number_of
from routers.provider import Example


def _callback(status: str, example: Example) -> bytes:
    failed = {"err_code": "limit", "err_description": "Over the limit"} if status == "failure" else {}
    return canonical(
        {
            "action": "hold" if status == "hold_wait" else "pay",
            "payment_id": Number(example.object_id or number_of(example)),
            "status": status,
            "version": Number("3"),
            "type": "buy",
            "paytype": "card",
            "public_key": "sandbox_i00000000000",
            "order_id": example.token,
            "liqpay_order_id": "QWERTY1234567890",
            "description": "Room 12",
            "sender_phone": "380950000001",
            "amount": Number(literal(example.amount_minor, example.currency)),
            "currency": example.currency,
            "create_date": Number(int(example.at.timestamp() * 1000)),
            **failed,
        }
    )


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    status: partial(_callback, status)
    for status in ("success", "sandbox", "hold_wait", "processing", "failure", "reversed")
}
"""One body for each of LiqPay's statuses that are met most; the signer wraps it."""
