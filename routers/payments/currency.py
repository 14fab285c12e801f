"""Exact amounts: from a decimal's literal text to whole minor units, with no float in between."""

import re
from typing import Final

from routers.document import Unreadable

# ISO 4217 (https://www.six-group.com/en/products-services/financial-information/data-standards.html).
# Every other currency has two decimals.
_DECIMALS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX"), 0),
    **dict.fromkeys(("UYI", "VND", "VUV", "XAF", "XOF", "XPF", "XTR"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_LITERAL: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,20}))?", re.ASCII)


def minor_units(literal: str, currency: str, *, decimals: int | None = None) -> int:
    """
    The amount *literal* ("42.00") in minor units of *currency*, or of a unit with *decimals*.

    Raises:
        Unreadable: not a plain decimal number of zero or more, or finer than the minor unit.
    """
    parts = _LITERAL.fullmatch(literal)
    if parts is None:
        raise Unreadable("amount")
    places = _DECIMALS.get(currency, 2) if decimals is None else decimals
    whole, fraction = parts[1], (parts[2] or "").rstrip("0")
    if len(fraction) > places:
        raise Unreadable("amount")
    return int(whole + fraction.ljust(places, "0"))


def literal(amount_minor: int, currency: str, *, decimals: int | None = None) -> str:
    """The amount as providers write it, the way back from `minor_units`."""
    places = _DECIMALS.get(currency, 2) if decimals is None else decimals
    digits = str(amount_minor).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def rescaled(amount: int, currency: str, *, decimals: int) -> int:
    """
    *amount* of a unit with *decimals* in minor units of *currency*.

    Raises:
        Unreadable: it is finer than the minor unit.
    """
    places = _DECIMALS.get(currency, 2)
    if places >= decimals:
        return amount * int(10 ** (places - decimals))
    whole, rest = divmod(amount, int(10 ** (decimals - places)))
    if rest:
        raise Unreadable("amount")
    return whole


# ISO 4217 numbers, for those who write them in the place of the letters.
_NUMBERS: Final = {
    "980": "UAH",
    "840": "USD",
    "978": "EUR",
    "826": "GBP",
    "985": "PLN",
    "203": "CZK",
    "756": "CHF",
    "392": "JPY",
    "156": "CNY",
}


def alphabetic(number: str) -> str:
    """
    The letters of the currency that ISO 4217 gives *number*.

    Raises:
        Unreadable: not one that we know.
    """
    if number not in _NUMBERS:
        raise Unreadable("currency")
    return _NUMBERS[number]


def numeric(currency: str) -> str:
    """
    The number of *currency*, the way back from `alphabetic`.

    Raises:
        Unreadable: not one that we know.
    """
    for number, letters in _NUMBERS.items():
        if letters == currency:
            return number
    raise Unreadable("currency")
