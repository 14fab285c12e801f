"""Robokassa's calls of ResultURL: https://docs.robokassa.ru/ru/notifications-and-redirects."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from routers.payments.currency import literal
from routers.payments.examples.numbers import number_of
from routers.provider import Example


def _paid(example: Example) -> bytes:
    fields = {
        "OutSum": f"{literal(example.amount_minor, 'RUB')}0000",
        "InvId": example.object_id or str(number_of(example)),
        "Fee": "0.00",
        "EMail": "guest@example.com",
        "PaymentMethod": "BankCard",
        "IncCurrLabel": "BankCardPSR",
        "Shp_token": example.token,
    }
    return urlencode(fields).encode()


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {"ResultURL": _paid}
"""The one call that Robokassa makes; the signature is put in by the signer."""
