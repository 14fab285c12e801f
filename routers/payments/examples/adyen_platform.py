"""Adyen's platform webhooks: https://docs.adyen.com/api-explorer/transfer-webhooks/latest/overview."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import orjson

from routers.payments.examples.numbers import name_of
from routers.provider import Example


def _transfer(example: Example) -> dict[str, Any]:
    return {
        "id": example.object_id or name_of(example, length=16).upper(),
        "amount": {"currency": example.currency, "value": example.amount_minor},
        "balancePlatform": "YOUR_BALANCE_PLATFORM",
        "category": "bank",
        "direction": "incoming",
        "reference": example.token,
        "status": "received",
    }


def _account_holder(example: Example) -> dict[str, Any]:
    holder = {"id": name_of(example, "holder", length=12).upper(), "reference": example.token}
    return {"balancePlatform": "YOUR_BALANCE_PLATFORM", "accountHolder": holder}


def _webhook(own_type: str, made: Callable[[Example], dict[str, Any]], example: Example) -> bytes:
    at = example.at.isoformat(timespec="seconds")
    return orjson.dumps({"data": made(example), "environment": "test", "timestamp": at, "type": own_type})


def _merchant(example: Example) -> bytes:
    """One of management, which writes its time under another name."""
    data = {
        "merchantId": "TestMerchant",
        "companyId": "TestCompany",
        "status": "Active",
        "reference": example.token,
    }
    at = example.at.isoformat(timespec="seconds")
    return orjson.dumps({"type": "merchant.updated", "environment": "test", "createdAt": at, "data": data})


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "balancePlatform.transfer.created": partial(_webhook, "balancePlatform.transfer.created", _transfer),
    "balancePlatform.transfer.updated": partial(_webhook, "balancePlatform.transfer.updated", _transfer),
    "balancePlatform.accountHolder.updated": partial(
        _webhook, "balancePlatform.accountHolder.updated", _account_holder
    ),
    "merchant.updated": _merchant,
}
"""Some of the many: all keep Adyen's name."""
