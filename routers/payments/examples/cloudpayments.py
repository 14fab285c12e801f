"""CloudPayments' notifications: https://developers.cloudpayments.ru/#uvedomleniya."""

from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial
from typing import Final
from urllib.parse import urlencode

from routers.payments.currency import literal
from routers.payments.examples.numbers import number_of
from routers.provider import Example


def _notification(name: str, example: Example) -> bytes:
    kind, _, status = name.partition(":")
    payment = example.object_id or str(number_of(example))
    fields = {
        "TransactionId": payment,
        "Amount": literal(example.amount_minor, example.currency),
        "Currency": example.currency,
        "DateTime": example.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "InvoiceId": example.token,
        "Name": "ADA GUEST",
        "Email": "guest@example.com",
        "TestMode": "1",
        "Data": '{"room":"12 & балкон"}',
    }
    if kind in {"check", "pay", "confirm"}:
        fields["Status"] = status or "Completed"
    if kind == "fail":
        fields |= {"Reason": "InsufficientFunds", "ReasonCode": "5051"}
    if kind == "refund":
        fields |= {"TransactionId": str(number_of(example, "refund")), "PaymentTransactionId": payment}
    return f"{kind}?".encode() + urlencode(fields).encode()


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    name: partial(_notification, name)
    for name in ("pay", "pay:Authorized", "confirm", "fail", "cancel", "refund", "check")
}
"""One form for each notification, after its kind and a question mark: the signer makes an address of that."""
