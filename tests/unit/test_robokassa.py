"""Robokassa: ResultURL by GET and by POST, in each of its algorithms."""

import hashlib

import pytest

from routers.call import Call
from routers.document import Unreadable
from routers.payments import robokassa
from routers.payments.events import PaymentSucceeded
from routers.provider import Received
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, call, genuine

PASSWORD = Secret(b"password-2")


def form(
    out_sum: str = "100.000000", invoice: str = "5", *, digest: str = "md5", token: str = TOKEN
) -> bytes:
    """A form signed by the formula of the documentation, written out."""
    text = f"{out_sum}:{invoice}:password-2:Shp_a=1:Shp_token={token}"
    signature = hashlib.new(digest, text.encode()).hexdigest()
    return (
        f"OutSum={out_sum}&InvId={invoice}&SignatureValue={signature}&Shp_token={token}&Shp_a=1&IsTest=1"
    ).encode()


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256", "sha512"])
def test_each_algorithm_by_post_and_by_get(digest: str) -> None:
    """The password stands before our own fields, those in the order of their names."""
    provider = robokassa.PROVIDER.configured({"digest": digest})
    body = form(digest=digest)

    for sent in (
        call(body),
        Call(b"", query=body, method="GET"),
        call(body.replace(b"&Shp_a=1", b"&Shp_a=%31")),
    ):
        provider.verify(sent, [PASSWORD], NOW)
        event = provider.translate(sent, NOW).event
        assert isinstance(event, PaymentSucceeded)
        assert (event.amount_minor, event.currency, event.object_id, event.test_mode) == (
            10000,
            "RUB",
            "5",
            True,
        )


@pytest.mark.parametrize(
    "change", [(b"100.000000", b"1.000000"), (b"InvId=5", b"InvId=6"), (b"Shp_a=1", b"Shp_a=2")]
)
def test_every_signed_field_is_held(change: tuple[bytes, bytes]) -> None:
    """The sum, the invoice and our own fields."""
    with pytest.raises(Refused) as caught:
        robokassa.PROVIDER.verify(call(form().replace(*change)), [PASSWORD], NOW)
    assert caught.value.reason is RefusalReason.SIGNATURE_WRONG


def test_the_token_travels_in_a_field_of_ours() -> None:
    """The invoice is a number, so the token is carried beside it."""
    assert robokassa.PROVIDER.translate(call(form()), NOW).token == TOKEN


def test_an_unnumbered_invoice_is_known_by_its_token() -> None:
    """Invoice 0 is the same for all of them."""
    first, second = (
        robokassa.PROVIDER.translate(call(form(invoice="0", token=token)), NOW)
        for token in (TOKEN, "0b" + TOKEN[2:])
    )

    assert first.idempotency_key != second.idempotency_key
    with pytest.raises(Unreadable):
        robokassa.PROVIDER.translate(call(b"OutSum=1&InvId=0"), NOW)


def test_the_answer_names_the_invoice() -> None:
    """`OK5`: anything else counts as not received."""
    for sent in (call(form()), Call(b"", query=form(), method="GET")):
        translation = robokassa.PROVIDER.translate(sent, NOW)
        answer = robokassa.PROVIDER.answer(Received(sent, translation, [], NOW))
        assert (answer.body, answer.content_type) == (b"OK5", "text/plain")


def test_the_signer_writes_the_documented_formula() -> None:
    """Our generator and the formula written out give the same signature."""
    sent = genuine(robokassa.PROVIDER, "ResultURL", secret=b"password-2")

    robokassa.PROVIDER.verify(sent, [PASSWORD], NOW)
