"""LiqPay: data and signature in a form."""

import base64
import hashlib
from urllib.parse import urlencode

import pytest

from routers.document import Unreadable
from routers.payments import liqpay
from routers.payments.events import PaymentFailed, PaymentSucceeded
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, call, genuine

KEY = b"private"


def form(data: bytes) -> bytes:
    """The form by the documented formula, written out: base64(sha1(key + data + key))."""
    encoded = base64.b64encode(data)
    signature = base64.b64encode(hashlib.sha1(KEY + encoded + KEY).digest())
    return urlencode({"data": encoded, "signature": signature}).encode()


def test_the_documented_formula_is_genuine() -> None:
    """Data, a plus sign of base64 in it too, survives the form."""
    body = form(
        b'{"status":"success","order_id":"%b","amount":0.55,"currency":"UAH","x":"~~>>??"}' % TOKEN.encode()
    )
    liqpay.PROVIDER.verify(call(body), [Secret(KEY)], NOW)
    translation = liqpay.translate(call(body), NOW)

    assert isinstance(translation.event, PaymentSucceeded)
    assert (translation.event.amount_minor, translation.event.currency, translation.token) == (
        55,
        "UAH",
        TOKEN,
    )


def test_the_sandbox_says_so() -> None:
    """A payment of the sandbox is a test."""
    event = liqpay.translate(genuine(liqpay.PROVIDER, "sandbox"), NOW).event

    assert (event.type, event.test_mode) == ("payment.succeeded", True)


def test_a_failure_has_its_reason() -> None:
    """The code of the error."""
    event = liqpay.translate(genuine(liqpay.PROVIDER, "failure"), NOW).event

    assert isinstance(event, PaymentFailed)
    assert event.reason == "limit"


def test_a_payout_is_no_payment() -> None:
    """The same word `success` tells of other actions."""
    body = form(b'{"status":"success","action":"p2pcredit","order_id":"1","amount":1,"currency":"UAH"}')

    assert liqpay.translate(call(body), NOW).event.type == "liqpay.success"


@pytest.mark.parametrize("body", [b"", b"data=%", b"data=AAAA", b"signature=x", form(b"[]")])
def test_other_data_is_unreadable(body: bytes) -> None:
    """Not base64, not JSON, no object."""
    with pytest.raises(Unreadable):
        liqpay.translate(call(body), NOW)
