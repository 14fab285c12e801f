"""WayForPay's callbacks: https://wiki.wayforpay.com/en/view/852102."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from routers.literal_json import Number, canonical
from routers.payments.currency import literal
from routers.provider import Example


def _callback(status: str, example: Example) -> bytes:
    declined = status == "Declined"
    at = Number(int(example.at.timestamp()))
    return canonical(
        {
            "merchantAccount": "test_merch_n1",
            "orderReference": example.token,
            "amount": Number(literal(example.amount_minor, example.currency)),
            "currency": example.currency,
            "authCode": "" if declined else "541963",
            "email": "guest@example.com",
            "phone": "380501234567",
            "createdDate": at,
            "processingDate": at,
            "cardPan": "41****8217",
            "cardType": "visa",
            "transactionStatus": status,
            "reason": "Insufficient Funds" if declined else "Ok",
            "reasonCode": Number("1114" if declined else "1100"),
            "fee": Number("0"),
            "paymentSystem": "card",
        }
    )


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    status: partial(_callback, status)
    for status in (
        "Approved",
        "WaitingAuthComplete",
        "InProcessing",
        "Pending",
        "Declined",
        "Expired",
        "Voided",
        "Refunded",
    )
}
"""One body for each of WayForPay's statuses that has a word of ours; the signer puts in the signature."""
