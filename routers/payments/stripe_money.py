"""Amounts as Stripe writes them."""

from typing import Any, Final

from routers.document import Document, Unreadable

# https://docs.stripe.com/currencies#special-cases: no minor unit, but written by Stripe as if there were
# cents.
WRITTEN_IN_HUNDREDTHS: Final = frozenset({"ISK", "UGX"})


def money(subject: Document, amount_field: str) -> dict[str, Any]:
    """
    The amount at *amount_field* and the currency of *subject*, as fields of an event.

    Raises:
        Unreadable: one of them is missing, or the amount is finer than the currency's minor unit.
    """
    currency = subject.currency("currency")
    amount = subject.amount(amount_field)
    if currency in WRITTEN_IN_HUNDREDTHS:
        amount, rest = divmod(amount, 100)
        if rest:
            raise Unreadable(amount_field)
    return {"amount_minor": amount, "currency": currency}
