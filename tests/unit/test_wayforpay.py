"""WayForPay: HMAC-MD5 over chosen fields, and an answer that is signed as well."""

import hmac

import orjson

from routers.payments import wayforpay
from routers.payments.events import PaymentFailed, PaymentSucceeded
from routers.provider import Received
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, call, genuine

KEY = b"flk3409refn54t54t*FNJRET"
SECRETS = [Secret(KEY)]


def sent(amount: str = "547.36") -> bytes:
    """A callback by the documented formula, written out, with the amount as its text."""
    text = f"test_merch_n1;{TOKEN};{amount};UAH;541963;41****8217;Approved;1100"
    signature = hmac.new(KEY, text.encode(), "md5").hexdigest()
    return (
        f'{{"merchantAccount":"test_merch_n1","orderReference":"{TOKEN}","merchantSignature":"{signature}",'
        f'"amount":{amount},"currency":"UAH","authCode":"541963","cardPan":"41****8217",'
        f'"transactionStatus":"Approved","reasonCode":1100,"processingDate":1795521600}}'
    ).encode()


def test_an_amount_counts_as_it_is_written() -> None:
    """547.36, 547, 547.0 and 5.47e2 are four texts; each is signed as it stands."""
    for amount in ("547.36", "547", "547.0", "5.47e2"):
        wayforpay.PROVIDER.verify(call(sent(amount)), SECRETS, NOW)


def test_a_payment_in_our_words() -> None:
    """Exact, from the literal text."""
    translation = wayforpay.translate(call(sent()), NOW)

    assert isinstance(translation.event, PaymentSucceeded)
    assert (translation.event.amount_minor, translation.event.currency, translation.token) == (
        54736,
        "UAH",
        TOKEN,
    )


def test_the_answer_is_signed() -> None:
    """Order, `accept` and time, by the first valid secret."""
    received = Received(call(sent()), wayforpay.translate(call(sent()), NOW), SECRETS, NOW)
    answer = orjson.loads(wayforpay.PROVIDER.answer(received).body)
    time = int(NOW.timestamp())

    assert answer == {
        "orderReference": TOKEN,
        "status": "accept",
        "time": time,
        "signature": hmac.new(KEY, f"{TOKEN};accept;{time}".encode(), "md5").hexdigest(),
    }


def test_two_declined_attempts_are_two_events() -> None:
    """The time of processing tells them apart."""
    body = orjson.loads(genuine(wayforpay.PROVIDER, "Declined").body)
    first, second = (
        wayforpay.translate(call(orjson.dumps({**body, "processingDate": at})), NOW) for at in (1, 2)
    )

    assert isinstance(first.event, PaymentFailed)
    assert first.event.reason == "Insufficient Funds"
    assert first.idempotency_key != second.idempotency_key
