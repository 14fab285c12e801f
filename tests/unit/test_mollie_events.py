"""Mollie's next-generation webhooks: against its own library, in both directions."""

import orjson
import pytest
from mollie.utils.webhooks import InvalidSignatureException, SignatureValidator

from routers.payments import mollie_events
from routers.payments.events import PaymentSucceeded
from routers.refusal import RefusalReason
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, call, genuine, refusal

PROVIDER = mollie_events.PROVIDER
SECRET = "whsec_b2YgdGhlIHRlc3Rz"
HEADER = SignatureValidator.SIGNATURE_HEADER


@pytest.mark.parametrize("body", ['{"id":"event_1"}', '{ "note" : "ключ" }\n', ""])
def test_what_their_library_signs_we_accept(body: str) -> None:
    """Over the bytes as they are, before and after the secret is changed."""
    signature = "sha256=" + SignatureValidator.create_signature(body, SECRET)
    sent = call(body.encode(), [(HEADER, signature)])

    for secrets in ([SECRET], ["old", SECRET], [SECRET, "new"]):
        PROVIDER.verify(sent, [Secret(each.encode()) for each in secrets], NOW)
    assert refusal(PROVIDER.verify, sent, Secret(b"other")) is RefusalReason.SIGNATURE_WRONG


@pytest.mark.parametrize("own_type", PROVIDER.examples)
def test_what_our_signer_signs_their_library_accepts(own_type: str) -> None:
    """And nothing else of it."""
    sent = genuine(PROVIDER, own_type)
    text = sent.body.decode()

    assert SignatureValidator.validate(text, SECRET, sent.header(HEADER))
    with pytest.raises(InvalidSignatureException):
        SignatureValidator.validate(text + " ", SECRET, sent.header(HEADER))


@pytest.mark.parametrize(
    "headers, reason",
    [
        ([], RefusalReason.HEADER_MISSING),
        ([(HEADER, "")], RefusalReason.HEADER_MALFORMED),
        ([(HEADER, "sha256=")], RefusalReason.SIGNATURE_WRONG),
    ],
    ids=["none", "empty", "only the prefix"],
)
def test_no_signature_is_no_older_kind_of_call(headers: list[tuple[str, str]], reason: RefusalReason) -> None:
    """Their library takes a call without one for a classic one and says no more; here it is refused."""
    assert refusal(PROVIDER.verify, call(b"{}", headers)) is reason
    assert SignatureValidator.validate("{}", SECRET, None) is False


def test_a_paid_link_is_money() -> None:
    """With its token; a simple payload tells no amount, so it keeps Mollie's name."""
    sent = genuine(PROVIDER, "payment-link.paid")
    body = orjson.loads(sent.body)
    simple = {name: value for name, value in body.items() if name != "_embedded"}

    paid = PROVIDER.translate(sent, NOW)
    told = PROVIDER.translate(call(orjson.dumps(simple)), NOW)

    assert isinstance(paid.event, PaymentSucceeded)
    assert (paid.event.amount_minor, paid.event.currency, paid.token) == (4200, "EUR", TOKEN)
    assert (told.event.type, told.object_key) == ("mollie-events.payment-link.paid", paid.object_key)
