"""PayPal: the certificate that signs, and where it may come from."""

from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import ValidationError

from routers.call import Call
from routers.payments.events import (
    PaymentDisputed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentSucceeded,
)
from routers.payments.examples import paypal as examples
from routers.payments.examples.authority import ExampleAuthority
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, genuine, known, refusal, registered

PROVIDER = registered()["paypal"]
LIVE = PROVIDER.configured({"webhook_id": "8PT597110X687430LKGECATA"})


def with_header(sent: Call, name: str, value: str) -> Call:
    """The call with another value of one header."""
    others = tuple(pair for pair in sent.headers if pair[0] != name.encode())
    return replace(sent, headers=(*others, (name.encode(), value.encode())))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://evil.example/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "https://user@api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://API.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/../../oauth2/token",
        "https://api.sandbox.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://[::1/v1/notifications/certs/CERT-1",
        "file:///etc/passwd",
        "",
    ],
)
def test_no_certificate_is_fetched_from_elsewhere(url: str) -> None:
    """The host is pinned before anything is asked; an address in a header sends us nowhere."""
    sent = with_header(genuine(PROVIDER, "PAYMENT.CAPTURE.COMPLETED"), "paypal-cert-url", url)
    assert PROVIDER.evidence is not None

    for check in (PROVIDER.evidence, PROVIDER.verify):
        with pytest.raises(Refused) as caught:
            check(sent, [known(PROVIDER)], NOW)
        assert caught.value.reason is RefusalReason.HEADER_MALFORMED


def test_the_certificate_is_asked_for_without_what_follows_its_path() -> None:
    """A query or a fragment of the caller's is left out."""
    url = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1?x=1#y"
    sent = with_header(genuine(PROVIDER, "PAYMENT.CAPTURE.COMPLETED"), "paypal-cert-url", url)
    assert PROVIDER.evidence is not None

    question = PROVIDER.evidence(sent, [known(PROVIDER)], NOW)

    assert question is not None
    assert question.url == "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"


@pytest.mark.parametrize(
    "name, value",
    [
        ("paypal-transmission-id", "another"),
        ("paypal-transmission-time", "2026-11-24T12:00:01Z"),
        ("paypal-transmission-sig", "AAAA"),
    ],
)
def test_each_signed_header_is_held(name: str, value: str) -> None:
    """Id, time and signature; the body by its checksum."""
    sent = genuine(PROVIDER, "PAYMENT.CAPTURE.COMPLETED")

    for changed in (with_header(sent, name, value), replace(sent, body=sent.body + b" ")):
        with pytest.raises(Refused) as caught:
            PROVIDER.verify(changed, [known(PROVIDER)], NOW)
        assert caught.value.reason is RefusalReason.SIGNATURE_WRONG


def test_another_algorithm_is_refused() -> None:
    """The call does not choose how it is checked."""
    sent = with_header(genuine(PROVIDER, "PAYMENT.CAPTURE.COMPLETED"), "paypal-auth-algo", "none")

    with pytest.raises(Refused) as caught:
        PROVIDER.verify(sent, [known(PROVIDER)], NOW)
    assert caught.value.reason is RefusalReason.HEADER_MALFORMED


def test_another_webhook_is_refused() -> None:
    """The webhook's id is signed: a call to one is none to another. And a sandbox's is none to a live one."""
    other = PROVIDER.configured({**PROVIDER.example_options, "webhook_id": "OTHER"})
    sent = genuine(PROVIDER, "PAYMENT.CAPTURE.COMPLETED")

    with pytest.raises(Refused) as caught:
        other.verify(sent, [Secret(b"x")], NOW)
    assert caught.value.reason is RefusalReason.SIGNATURE_WRONG
    with pytest.raises(Refused):
        LIVE.verify(sent, [Secret(b"x")], NOW)


NAME = "messageverificationcerts.sandbox.paypal.com"
YESTERDAY, TOMORROW = NOW - timedelta(days=1), NOW + timedelta(days=1)


def certified(
    name: str = NAME,
    authority: ExampleAuthority = examples.AUTHORITY,
    not_before: datetime = NOW - timedelta(days=9),
    not_after: datetime = NOW + timedelta(days=9),
) -> bytes:
    """A certificate of the key that has signed the examples."""
    key = load_pem_private_key(examples.private_key(), None).public_key()
    assert isinstance(key, RSAPublicKey)
    return authority.issued(name, key, not_before=not_before, not_after=not_after)


@pytest.mark.parametrize(
    "written",
    [
        certified(not_after=YESTERDAY),
        certified(not_before=TOMORROW),
        certified(authority=ExampleAuthority("Authority of the examples")),
        certified("shop.example"),
        b"<html>",
        b"",
    ],
    ids=["expired", "not yet valid", "foreign authority", "another name", "no certificate", "nothing"],
)
def test_another_certificate_is_refused_though_the_signature_fits(written: bytes) -> None:
    """Whoever serves it: its dates, its name and who vouches for it must be right, all three."""
    sent = replace(genuine(PROVIDER, "PAYMENT.CAPTURE.COMPLETED"), evidence=written)

    assert refusal(PROVIDER.verify, sent) is RefusalReason.KEY_UNUSABLE


def test_public_authorities_vouch_unless_others_are_named() -> None:
    """The certificate of the examples is none of theirs."""
    options = {name: value for name, value in PROVIDER.example_options.items() if name != "authorities"}
    sent = genuine(PROVIDER, "PAYMENT.CAPTURE.COMPLETED")

    assert refusal(PROVIDER.configured(options).verify, sent) is RefusalReason.KEY_UNUSABLE


def test_that_the_host_serves_it_can_be_made_enough() -> None:
    """For the day when PayPal leaves out a link of the chain; the dates still count."""
    options = {"environment": "sandbox", "webhook_id": "8PT597110X687430LKGECATA", "certificate": "host"}
    by_host = PROVIDER.configured(options)
    sent = genuine(PROVIDER, "PAYMENT.CAPTURE.COMPLETED")
    expired = replace(sent, evidence=certified(not_after=YESTERDAY))

    by_host.verify(sent, [known(PROVIDER)], NOW)
    assert refusal(by_host.verify, expired) is RefusalReason.KEY_UNUSABLE


def test_an_authority_that_cannot_be_read_is_no_setting() -> None:
    """It is told when the gateway starts, not at the first payment."""
    with pytest.raises(ValidationError):
        PROVIDER.configured({**PROVIDER.example_options, "authorities": ["-----BEGIN"]})


def test_an_order_and_its_capture_are_steps_of_one_thing() -> None:
    """The capture names its order."""
    approved, captured, refunded, disputed = (
        PROVIDER.translate(genuine(PROVIDER, own_type), NOW)
        for own_type in (
            "CHECKOUT.ORDER.APPROVED",
            "PAYMENT.CAPTURE.COMPLETED",
            "PAYMENT.CAPTURE.REFUNDED",
            "CUSTOMER.DISPUTE.CREATED",
        )
    )

    assert approved.object_key == captured.object_key
    assert approved.token == captured.token == refunded.token == disputed.token == TOKEN
    assert isinstance(approved.event, PaymentPending)
    assert isinstance(captured.event, PaymentSucceeded)
    assert (captured.event.amount_minor, captured.event.currency) == (4200, "EUR")
    assert isinstance(refunded.event, PaymentPartiallyRefunded)
    assert refunded.event.refund_id
    assert isinstance(disputed.event, PaymentDisputed)


def test_a_subscription_keeps_its_name() -> None:
    """What has no word of ours is kept under PayPal's."""
    sent = genuine(PROVIDER, "PAYMENT.CAPTURE.COMPLETED")
    body = {**orjson.loads(sent.body), "event_type": "BILLING.SUBSCRIPTION.ACTIVATED"}

    event = PROVIDER.translate(replace(sent, body=orjson.dumps(body)), NOW).event

    assert event.type == "paypal.BILLING.SUBSCRIPTION.ACTIVATED"
