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
