"""Amounts as minor units: exact, by the currency's real number of decimals."""

import pytest

from routers.document import Unreadable
from routers.payments.currency import literal, minor_units


@pytest.mark.parametrize(
    "text, currency, amount",
    [("42", "EUR", 4200), ("42.5", "EUR", 4250), ("42", "JPY", 42), ("1.005", "KWD", 1005)],
)
def test_a_literal_amount_is_exact(text: str, currency: str, amount: int) -> None:
    """By the currency's real number of decimals, and the way back names the same amount."""
    assert minor_units(text, currency) == amount
    assert minor_units(literal(amount, currency), currency) == amount


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1,5", "1.005", "٣", "nan", "1" * 16])
def test_an_amount_in_another_form_is_unreadable(text: str) -> None:
    """Signs, exponents, commas, fractions of a cent: never rounded, never guessed."""
    with pytest.raises(Unreadable):
        minor_units(text, "EUR")
