"""T-Bank: the published token, and what its statuses mean."""

import orjson
import pytest

from routers.event import OtherEvent
from routers.payments import tbank
from routers.payments.events import PaymentPartiallyRefunded, PaymentSucceeded
from routers.provider import Received
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, URL, call, genuine

#: https://developer.tbank.ru/eacq/intro/developer/notification: password, fields and token of the example.
PASSWORD = b"Dfsfh56dgKl"
PUBLISHED = {
    "TerminalKey": "1321054611234DEMO",
    "OrderId": "201709",
    "Success": True,
    "Status": "AUTHORIZED",
    "PaymentId": 8742591,
    "ErrorCode": "0",
    "Amount": 9855,
    "CardId": 322264,
    "Pan": "430000******0777",
    "ExpDate": "1122",
    "RebillId": 101709,
    "Token": "b906d28e76c6428e37b25fcf86c0adc52c63d503013fdd632e300593d165766b",
}


def test_the_published_token_is_genuine() -> None:
    """Numbers and true as JSON writes them, not as Python does."""
    tbank.PROVIDER.verify(call(orjson.dumps(PUBLISHED)), [Secret(PASSWORD)], NOW)


def test_what_is_not_signed_is_not_read_as_signed() -> None:
    """Nested objects are outside of the token; nothing that we believe comes from there but our own token."""
    body = orjson.dumps({**PUBLISHED, "Data": {"Status": "CONFIRMED"}})

    tbank.PROVIDER.verify(call(body), [Secret(PASSWORD)], NOW)
    assert tbank.translate(call(body), NOW).event.type == "payment.authorized"


def test_two_notifications_at_one_moment_are_two_events_of_one_payment() -> None:
    """A one-stage payment is told as authorized and confirmed simultaneously."""
    authorized, confirmed = (
        tbank.translate(genuine(tbank.PROVIDER, status), NOW) for status in ("AUTHORIZED", "CONFIRMED")
    )

    assert authorized.object_key == confirmed.object_key
    assert authorized.idempotency_key != confirmed.idempotency_key
    assert isinstance(confirmed.event, PaymentSucceeded)
    assert (confirmed.event.amount_minor, confirmed.event.currency, confirmed.token) == (4200, "RUB", TOKEN)
    assert (authorized.event.rank or 0) < (confirmed.event.rank or 0)


def test_each_part_that_goes_back_counts() -> None:
    """Two partial refunds have one status, and two keys."""
    body = orjson.loads(genuine(tbank.PROVIDER, "PARTIAL_REFUNDED").body)
    first, second = (
        tbank.translate(call(orjson.dumps({**body, "Amount": amount})), NOW) for amount in (1000, 2000)
    )

    assert isinstance(first.event, PaymentPartiallyRefunded)
    assert first.idempotency_key != second.idempotency_key


@pytest.mark.parametrize("status", ["3DS_CHECKING", "NEW"])
def test_another_status_keeps_its_name(status: str) -> None:
    """Nothing is dropped."""
    event = tbank.translate(call(orjson.dumps({**PUBLISHED, "Status": status})), NOW).event

    assert (type(event), event.type) == (OtherEvent, f"tbank.{status}")


def test_the_answer_is_two_letters() -> None:
    """Anything else makes T-Bank come again for a day."""
    sent = genuine(tbank.PROVIDER, "CONFIRMED")
    answer = tbank.PROVIDER.answer(Received(sent, tbank.translate(sent, NOW), [], NOW))

    assert (answer.status, answer.body, answer.content_type) == (200, b"OK", "text/plain")


def test_networks_are_checked_where_they_are_set() -> None:
    """On top of the token."""
    provider = tbank.PROVIDER.configured({"networks": ["91.194.226.0/23"]})
    sent = provider.signed(orjson.dumps(PUBLISHED), PASSWORD, NOW, url=URL)

    provider.verify(sent.as_call(), [Secret(PASSWORD)], NOW)
    with pytest.raises(Refused) as caught:
        provider.verify(call(sent.body), [Secret(PASSWORD)], NOW)
    assert caught.value.reason is RefusalReason.ADDRESS_NOT_ALLOWED
