"""The scheme of Standard Webhooks, against its own library."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from routers.document import Unreadable
from routers.generic.standardwebhooks import PROVIDER, sign, translate
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from routers.verification.hmac_scheme import MAX_SIGNATURES
from routers.verification.standard_webhooks import signed_message
from tests.unit.calls import NOW, TOKEN, call

#: The example of the standard's own documentation.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another secret of the tests").decode()
BODY = b'{"type":"contact.created","timestamp":"2026-11-24T12:00:00Z","data":{"id":"ct_1"}}'


def headers(signature: str, *, at: datetime = NOW, family: str = "webhook") -> list[tuple[str, str]]:
    """The three headers, with *signature*."""
    timestamp = str(int(at.timestamp()))
    return [
        (f"{family}-id", "msg_1"),
        (f"{family}-timestamp", timestamp),
        (f"{family}-signature", signature),
    ]


def official(*, at: datetime = NOW, secret: str = SECRET) -> str:
    """What the official library signs."""
    return Webhook(secret).sign("msg_1", at, BODY.decode())


def refusal(sent_headers: list[tuple[str, str]], *secrets: str, now: datetime = NOW) -> RefusalReason:
    """The reason for which BODY with these headers is refused."""
    with pytest.raises(Refused) as caught:
        PROVIDER.verify(
            call(BODY, sent_headers), [Secret(each.encode()) for each in secrets or (SECRET,)], now
        )
    return caught.value.reason


@pytest.mark.parametrize("family", ["webhook", "svix"])
def test_what_their_signer_signs_we_accept(family: str) -> None:
    """Under the standard's names and under Svix's."""
    sent = call(BODY, headers(official(), family=family))

    PROVIDER.verify(sent, [Secret(SECRET.encode())], NOW)
    assert translate(sent, NOW).idempotency_key == "msg_1"


def test_what_our_signer_signs_they_accept() -> None:
    """Their verifier looks at the real clock."""
    signed = dict(sign(BODY, SECRET.encode(), datetime.now(UTC)))

    assert Webhook(SECRET).verify(BODY, signed)["type"] == "contact.created"


def test_any_signature_and_any_secret_may_fit() -> None:
    """Both sides can roll their secrets without a gap."""
    sent = call(BODY, headers(f"v1,{'A' * 43}= {official(secret=OTHER)} {official()}"))

    PROVIDER.verify(sent, [Secret(b"whsec_bm9wZQ=="), Secret(SECRET.encode())], NOW)


def test_a_secret_may_have_lost_its_padding() -> None:
    """The official library takes it as well."""
    secret = OTHER.rstrip("=")

    PROVIDER.verify(call(BODY, headers(official(secret=OTHER))), [Secret(secret.encode())], NOW)


def test_a_key_pair_proves_without_a_shared_secret() -> None:
    """`v1a`: ed25519, of which we hold the public half only."""
    private = Ed25519PrivateKey.generate()
    known = b"whpk_" + base64.b64encode(private.public_key().public_bytes_raw())
    message = signed_message("msg_1", str(int(NOW.timestamp())), BODY)
    signature = "v1a," + base64.b64encode(private.sign(message)).decode()
    sent = headers(f"v1,AAAA {signature}")

    PROVIDER.verify(call(BODY, sent), [Secret(known)], NOW)
    with pytest.raises(Refused):
        PROVIDER.verify(call(BODY + b" ", sent), [Secret(known)], NOW)
    assert refusal(headers(signature)) is RefusalReason.SIGNATURE_WRONG
    assert refusal(headers(official()), known.decode()) is RefusalReason.SIGNATURE_WRONG


def test_the_id_is_signed() -> None:
    """Nobody can replay a call under another id."""
    sent = headers(official())
    sent[0] = ("webhook-id", "msg_2")

    assert refusal(sent) is RefusalReason.SIGNATURE_WRONG


@pytest.mark.parametrize(
    "signature, reason",
    [
        ("garbage", RefusalReason.SIGNATURE_WRONG),
        ("", RefusalReason.SIGNATURE_WRONG),
        ("v1,", RefusalReason.SIGNATURE_WRONG),
        ("v1a,!", RefusalReason.SIGNATURE_WRONG),
        ("v2,AAAA", RefusalReason.SIGNATURE_WRONG),
        (" ".join(["v1,AAAA"] * (MAX_SIGNATURES + 1)), RefusalReason.HEADER_MALFORMED),
    ],
)
def test_another_signature_is_refused(signature: str, reason: RefusalReason) -> None:
    """With the one refusal, where the official library raises this and that."""
    assert refusal(headers(signature)) is reason


@pytest.mark.parametrize("secret", ["whsec_not base64", "whpk_AAAA", "whsec_"])
def test_a_secret_in_another_form_opens_nothing(secret: str) -> None:
    """It is told as what it is: no usable secret."""
    assert refusal(headers(official()), secret) is RefusalReason.NO_USABLE_SECRET


@pytest.mark.parametrize(
    "late, reason",
    [(timedelta(seconds=301), RefusalReason.TOO_OLD), (timedelta(seconds=-301), RefusalReason.IN_FUTURE)],
)
def test_the_time_may_be_five_minutes_off(late: timedelta, reason: RefusalReason) -> None:
    """Both ways."""
    assert refusal(headers(official(at=NOW - late), at=NOW - late)) is reason


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_each_header_is_needed(missing: int) -> None:
    """Id, timestamp and signature."""
    sent = headers(official())
    del sent[missing]

    assert refusal(sent) is RefusalReason.HEADER_MISSING


def test_the_payload_is_told_under_its_own_type() -> None:
    """With its time, its object, and a token from the data or its metadata."""
    body = (
        b'{"type":"invoice.paid","timestamp":"2026-11-24T11:00:00Z","data":{"id":"inv_1","metadata":{"token":"'
        + TOKEN.encode()
        + b'"}}}'
    )
    translation = translate(call(body, headers("v1,")), NOW)

    assert (translation.event.type, translation.event.object_id) == ("standardwebhooks.invoice.paid", "inv_1")
    assert translation.event.occurred_at == NOW - timedelta(hours=1)
    assert translation.token == TOKEN


def test_a_call_without_an_id_is_unreadable() -> None:
    """There would be nothing to know its repeat by."""
    with pytest.raises(Unreadable):
        translate(call(BODY), NOW)
