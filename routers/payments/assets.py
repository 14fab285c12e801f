"""Cryptocurrencies: how many decimals their unit has."""

from collections.abc import Mapping
from typing import Final

from routers.document import Unreadable

ASSET_DECIMALS: Final[Mapping[str, int]] = {
    "USDT": 6,
    "USDC": 6,
    "TRX": 6,
    "BTC": 8,
    "LTC": 8,
    "TON": 9,
    # In units of 10**-9: whole numbers of 10**-18 do not fit into 64 bits.
    "ETH": 9,
    "BNB": 9,
    "SOL": 9,
}

#: Letters of ordinary money (ISO 4217); a coin's may be three letters as well.
_CODE_LETTERS: Final = 3


def decimals_of(currency: str) -> int | None:
    """
    The decimals of *currency* where it is a coin; None for ordinary money, which has its own table.

    Raises:
        Unreadable: a coin that nobody knows the unit of; it is not guessed at.
    """
    if currency in ASSET_DECIMALS:
        return ASSET_DECIMALS[currency]
    if len(currency) != _CODE_LETTERS:
        raise Unreadable("currency")
    return None
