"""CloudPayments: two signatures, addresses that say what a call is, answers by number."""

import base64
import hmac
from dataclasses import replace
from urllib.parse import unquote_plus

import orjson
import pytest

from routers.call import Call
from routers.decision import Decision
from routers.document import Unreadable
from routers.payments import cloudpayments
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCheck,
    PaymentPartiallyRefunded,
    PaymentSucceeded,
)
from routers.provider import Received
from routers.refusal import Refused
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, genuine

PROVIDER = cloudpayments.PROVIDER
SECRETS = [Secret(SECRET)]


def only(sent: Call, name: str) -> Call:
    """The call with one of its two signatures."""
    return replace(sent, headers=[pair for pair in sent.headers if pair[0] == name.lower().encode()])


def test_either_signature_is_enough() -> None:
    """Over the body as it was sent, or over the decoded one; written out here by the formula."""
    sent = genuine(PROVIDER, "pay")
    for name, text in (
        ("Content-HMAC", sent.body),
        ("X-Content-HMAC", unquote_plus(sent.body.decode()).encode()),
    ):
        expected = base64.b64encode(hmac.digest(SECRET, text, "sha256"))

        assert only(sent, name).headers[0][1] == expected
        PROVIDER.verify(only(sent, name), SECRETS, NOW)


def test_neither_signature_opens_for_another_body() -> None:
    """Both are over all of it."""
    sent = genuine(PROVIDER, "pay")
    for name in ("Content-HMAC", "X-Content-HMAC", "nothing"):
        with pytest.raises(Refused):
            PROVIDER.verify(
                replace(only(sent, name), body=sent.body.replace(b"42.00", b"43.00")), SECRETS, NOW
            )


def test_the_address_says_what_a_call_is() -> None:
    """A payment may be reserved only; a refund names itself; amounts are exact."""
    paid, reserved, refund = (
        PROVIDER.translate(genuine(PROVIDER, name), NOW) for name in ("pay", "pay:Authorized", "refund")
    )

    assert isinstance(paid.event, PaymentSucceeded)
    assert (paid.event.amount_minor, paid.event.currency, paid.token) == (4200, "EUR", TOKEN)
    assert isinstance(reserved.event, PaymentAuthorized)
    assert isinstance(refund.event, PaymentPartiallyRefunded)
    assert refund.event.refund_id
    assert refund.object_key == paid.object_key


@pytest.mark.parametrize("query", [b"", b"type=pay&type=fail", b"type=\xff", b"kind=pay"])
def test_an_address_that_does_not_say_is_unreadable(query: bytes) -> None:
    """It is kept, and never guessed at."""
    with pytest.raises(Unreadable):
        PROVIDER.translate(replace(genuine(PROVIDER, "pay"), query=query), NOW)


def test_the_token_may_travel_in_the_data() -> None:
    """Where the invoice has a number of its own."""
    sent = genuine(PROVIDER, "pay")
    body = sent.body.replace(f"InvoiceId={TOKEN}".encode(), b"InvoiceId=12")
    data = b"Data=%7B%22token%22%3A%22" + TOKEN.encode() + b"%22%7D"
    body = b"&".join(data if field.startswith(b"Data=") else field for field in body.split(b"&"))

    assert PROVIDER.translate(replace(sent, body=body), NOW).token == TOKEN


@pytest.mark.parametrize(
    "decision, code",
    [
        (Decision.ACCEPTED, 0),
        (Decision.UNKNOWN, 10),
        (Decision.MISMATCHED, 12),
        (Decision.DECLINED, 13),
        (Decision.LATE, 13),
    ],
)
def test_a_decision_is_a_number(decision: Decision, code: int) -> None:
    """Every one of them."""
    sent = genuine(PROVIDER, "check")
    translation = PROVIDER.translate(sent, NOW)
    assert PROVIDER.decided is not None

    answer = PROVIDER.decided(Received(sent, translation, SECRETS, NOW), decision)

    assert isinstance(translation.event, PaymentCheck)
    assert orjson.loads(answer.body) == {"code": code}


def test_every_other_notification_is_answered_with_zero() -> None:
    """Exactly, or it comes again."""
    sent = genuine(PROVIDER, "pay")

    assert PROVIDER.answer(Received(sent, PROVIDER.translate(sent, NOW), SECRETS, NOW)).body == b'{"code":0}'
