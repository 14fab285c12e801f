"""Monobank: the published signature, and the bank's key that is asked for."""

import orjson
import pytest

from routers.event import OtherEvent
from routers.payments import monobank
from routers.payments.events import PaymentFailed, PaymentSucceeded
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, call, genuine, known

#: https://api.monobank.ua/docs/acquiring.html, "Signature check": the key, the signature, the body.
PUBLIC_KEY = (
    "LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFQUc1LzZ3NnZubGJZb0Zm"
    "RHlYWE4vS29CbVVjTgo3NWJSUWg4MFBhaEdldnJoanFCQnI3OXNSS0JSbnpHODFUZVQ5OEFOakU1c0R3RmZ5Znhub0ZJcmZBPT0KLS0t"
    "LS1FTkQgUFVCTElDIEtFWS0tLS0tCg=="
)
X_SIGN = "MEUCIQC/mVKhi8FKoayul2Mim3E2oaIOCNJk5dEXxTqbkeJSOQIgOM0hsW0qcP2H8iXy1aQYpmY0SJWEaWur7nQXlKDCFxA="
BODY = b"""{
  "invoiceId": "p2_9ZgpZVsl3",
  "status": "created",
  "failureReason": "string",
  "amount": 4200,
  "ccy": 980,
  "finalAmount": 4200,
  "createdDate": "2019-08-24T14:15:22Z",
  "modifiedDate": "2019-08-24T14:15:22Z",
  "reference": "84d0070ee4e44667b31371d8f8813947",
  "cancelList": [
    {
      "status": "processing",
      "amount": 4200,
      "ccy": 980,
      "createdDate": "2019-08-24T14:15:22Z",
      "modifiedDate": "2019-08-24T14:15:22Z",
      "approvalCode": "662476",
      "rrn": "060189181768",
      "extRef": "635ace02599849e981b2cd7a65f417fe"
    }
  ]
}"""
SECRETS = [Secret(b"merchant-token")]


def test_the_published_signature_is_genuine() -> None:
    """With the key as `GET /api/merchant/pubkey` answers it."""
    sent = call(BODY, [("X-Sign", X_SIGN)])
    proven = type(sent)(sent.body, sent.headers, evidence=orjson.dumps({"key": PUBLIC_KEY}))

    monobank.PROVIDER.verify(proven, SECRETS, NOW)
    assert monobank.PROVIDER.translate(proven, NOW).event.type == "monobank.created"


@pytest.mark.parametrize("evidence", [b"", b"{}", b"[]", b'{"key":"%"}', b'{"key":1}', b"<html>"])
def test_another_answer_is_no_key(evidence: bytes) -> None:
    """Whatever the API answers, the call is refused."""
    sent = call(BODY, [("X-Sign", X_SIGN)])

    with pytest.raises(Refused) as caught:
        monobank.PROVIDER.verify(type(sent)(sent.body, sent.headers, evidence=evidence), SECRETS, NOW)
    assert caught.value.reason is RefusalReason.KEY_UNUSABLE


def test_the_key_is_asked_for_with_our_token_and_only_for_signed_calls() -> None:
    """Whoever sends us nothing signed does not make us ask."""
    assert monobank.PROVIDER.evidence is not None
    question = monobank.PROVIDER.evidence(call(BODY, [("X-Sign", X_SIGN)]), SECRETS, NOW)

    assert question is not None
    assert (question.url, question.headers) == (
        "https://api.monobank.ua/api/merchant/pubkey",
        (("X-Token", "merchant-token"),),
    )
    assert question.keep_for is not None
    with pytest.raises(Refused):
        monobank.PROVIDER.evidence(call(BODY), SECRETS, NOW)


def test_an_invoice_in_our_words() -> None:
    """The amount that was finally taken; the number of the currency by its letters."""
    sent = genuine(monobank.PROVIDER, "success")
    translation = monobank.PROVIDER.translate(sent, NOW)
    failed = monobank.PROVIDER.translate(genuine(monobank.PROVIDER, "failure"), NOW).event

    monobank.PROVIDER.verify(sent, [known(monobank.PROVIDER)], NOW)
    assert isinstance(translation.event, PaymentSucceeded)
    assert (translation.event.amount_minor, translation.event.currency, translation.token) == (
        4200,
        "EUR",
        TOKEN,
    )
    assert isinstance(failed, PaymentFailed)
    assert failed.reason == "Insufficient funds"


def test_a_later_change_is_another_event() -> None:
    """Invoice, status and time of change make the key."""
    sent = genuine(monobank.PROVIDER, "success")
    later = {**orjson.loads(sent.body), "modifiedDate": "2026-11-25T00:00:00Z"}
    first, second = (
        monobank.PROVIDER.translate(call(body), NOW) for body in (sent.body, orjson.dumps(later))
    )

    assert first.idempotency_key != second.idempotency_key
    assert first.object_key == second.object_key
    assert not isinstance(second.event, OtherEvent)
