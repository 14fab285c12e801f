"""Crypto Pay: invoices that were paid, in money and in coins."""

import orjson
import pytest

from routers.document import Unreadable
from routers.payments import cryptopay
from routers.payments.events import PaymentSucceeded
from tests.unit.calls import NOW, TOKEN, call, genuine


def test_crypto_pay_tells_the_invoice_that_was_paid() -> None:
    """The amount comes from its literal text, the token from the invoice's payload."""
    translation = cryptopay.translate(genuine(cryptopay.PROVIDER, "invoice_paid"), NOW)
    event = translation.event

    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency, translation.token) == (4200, "EUR", TOKEN)


def test_crypto_pay_counts_an_asset_in_its_own_unit() -> None:
    """A Bitcoin has eight decimals; an asset that nobody knows the unit of is not guessed at."""
    body = orjson.loads(genuine(cryptopay.PROVIDER, "invoice_paid").body)
    body["payload"].update(currency_type="crypto", asset="BTC", amount="0.00000001")
    event = cryptopay.translate(call(orjson.dumps(body)), NOW).event

    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency) == (1, "BTC")
    body["payload"]["asset"] = "NEWCOIN"
    with pytest.raises(Unreadable):
        cryptopay.translate(call(orjson.dumps(body)), NOW)
