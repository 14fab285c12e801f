"""Adyen's webhooks: https://docs.adyen.com/development-resources/webhooks/webhook-types."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import orjson

from routers.payments.examples.numbers import name_of
from routers.provider import Example


def _webhook(code: str, success: bool, example: Example) -> bytes:
    payment = example.object_id or name_of(example, length=16).upper()
    follows = code in {"CAPTURE", "CANCELLATION", "REFUND"}
    item = {
        "amount": {"currency": example.currency, "value": example.amount_minor},
        "eventCode": code,
        "eventDate": example.at.isoformat(timespec="seconds"),
        "merchantAccountCode": "TestMerchant",
        "merchantReference": example.token,
        "originalReference": payment if follows else "",
        "paymentMethod": "visa",
        "pspReference": name_of(example, code, length=16).upper() if follows else payment,
        "reason": "" if success else "Refused",
        "success": "true" if success else "false",
    }
    return orjson.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]})


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "PENDING": partial(_webhook, "PENDING", True),
    "AUTHORISATION": partial(_webhook, "AUTHORISATION", True),
    "AUTHORISATION:refused": partial(_webhook, "AUTHORISATION", False),
    "CAPTURE": partial(_webhook, "CAPTURE", True),
    "CAPTURE_FAILED": partial(_webhook, "CAPTURE_FAILED", True),
    "CANCELLATION": partial(_webhook, "CANCELLATION", True),
    "REFUND": partial(_webhook, "REFUND", True),
    "CHARGEBACK": partial(_webhook, "CHARGEBACK", True),
}
"""One body for each of Adyen's events that has a word of ours; the signer puts in the signature."""
