"""T-Bank's notifications: https://developer.tbank.ru/eacq/intro/developer/notification."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import orjson

from routers.payments.examples.numbers import number_of
from routers.provider import Example


def _notification(status: str, example: Example) -> bytes:
    return orjson.dumps(
        {
            "TerminalKey": "1321054611234DEMO",
            "OrderId": example.token,
            "Success": status != "REJECTED",
            "Status": status,
            "PaymentId": int(example.object_id or number_of(example)),
            "ErrorCode": "0" if status != "REJECTED" else "1051",
            "Amount": example.amount_minor,
            "CardId": 867911,
            "Pan": "430000******0777",
            "ExpDate": "1230",
            "Data": {"Route": "ACQ"},
        }
    )


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    status: partial(_notification, status)
    for status in (
        "AUTHORIZED",
        "CONFIRMED",
        "REJECTED",
        "REVERSED",
        "DEADLINE_EXPIRED",
        "PARTIAL_REFUNDED",
        "REFUNDED",
    )
}
"""One body for each of T-Bank's statuses that has a word of ours; the token is put in by the signer."""
