"""NOWPayments: the signature over sorted JSON, with small amounts as they were written."""

import hashlib
import hmac

import pytest

from routers.document import Unreadable
from routers.payments import nowpayments
from routers.payments.events import PaymentSucceeded
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, call

SENT = (
    '{"payment_status":"finished","payment_id":123456789,"price_amount":42.5,"price_currency":"eur",'
    '"pay_amount":1e-8,"actually_paid":10.0,"order_id":"TOKEN","fee":{"z":1,"a":2},"note":"пример/\\"x\\""}'
).replace("TOKEN", TOKEN)
SORTED = (
    '{"actually_paid":10.0,"fee":{"a":2,"z":1},"note":"пример/\\"x\\"","order_id":"TOKEN","pay_amount":1e-8,'
    '"payment_id":123456789,"payment_status":"finished","price_amount":42.5,"price_currency":"eur"}'
).replace("TOKEN", TOKEN)


def test_the_sorted_json_is_what_is_signed() -> None:
    """1e-8 stays 1e-8, 10.0 stays 10.0, letters stay letters."""
    signature = hmac.new(SECRET, SORTED.encode(), hashlib.sha512).hexdigest()
    sent = call(SENT.encode(), [("x-nowpayments-sig", signature)])

    nowpayments.PROVIDER.verify(sent, [Secret(SECRET)], NOW)
    changed = call(SENT.replace("1e-8", "1e-7").encode(), [("x-nowpayments-sig", signature)])
    with pytest.raises(Refused) as caught:
        nowpayments.PROVIDER.verify(changed, [Secret(SECRET)], NOW)
    assert caught.value.reason is RefusalReason.SIGNATURE_WRONG


def test_the_price_is_the_amount() -> None:
    """Not the coins: what was agreed on is what the expectation names."""
    translation = nowpayments.PROVIDER.translate(call(SENT.encode()), NOW)
    event = translation.event

    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency, translation.token) == (4250, "EUR", TOKEN)


def test_a_price_in_coins_is_exact() -> None:
    """A Bitcoin has eight decimals; of a coin that nobody knows the unit of nothing is guessed."""
    coins = SENT.replace("42.5", "0.00000001").replace('"eur"', '"btc"')
    event = nowpayments.PROVIDER.translate(call(coins.encode()), NOW).event

    assert isinstance(event, PaymentSucceeded)
    assert event.amount_minor == 1
    for currency in ("usdttrc20", "x"):
        with pytest.raises(Unreadable):
            nowpayments.PROVIDER.translate(call(coins.replace("btc", currency).encode()), NOW)


def test_a_part_is_no_success_and_each_counts() -> None:
    """`partially_paid` keeps its name."""
    part = SENT.replace("finished", "partially_paid")
    first = nowpayments.PROVIDER.translate(call(part.encode()), NOW)
    second = nowpayments.PROVIDER.translate(call(part.replace("10.0", "11.0").encode()), NOW)

    assert first.event.type == "nowpayments.partially_paid"
    assert first.idempotency_key != second.idempotency_key
