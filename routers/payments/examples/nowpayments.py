"""NOWPayments' notifications: https://documenter.getpostman.com/view/7907941/2s93JusNJt."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from routers.literal_json import Number, canonical
from routers.payments.currency import literal
from routers.payments.examples.numbers import number_of
from routers.provider import Example


def _notification(status: str, example: Example) -> bytes:
    price = literal(example.amount_minor, example.currency)
    return canonical(
        {
            "payment_id": Number(example.object_id or number_of(example)),
            "invoice_id": None,
            "payment_status": status,
            "pay_address": "TNDFkiSmBQorNFacb3735q8MnT29sn8BLn",
            "price_amount": Number(price.rstrip("0").rstrip(".") if "." in price else price),
            "price_currency": example.currency.lower(),
            "pay_amount": Number("0.00000123"),
            "actually_paid": Number("1.23e-6"),
            "pay_currency": "btc",
            "order_id": example.token,
            "order_description": "Room 12",
            "purchase_id": str(number_of(example, "purchase")),
            "fee": {"currency": "btc", "depositFee": Number("0"), "withdrawalFee": Number("0")},
        }
    )


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    status: partial(_notification, status)
    for status in ("confirming", "confirmed", "sending", "finished", "failed", "expired", "refunded")
}
"""One body for each of its statuses that has a word of ours."""
