"""HMAC keys that are written in another form than text, and bodies that are signed in another."""

import hmac

import pytest

from routers.literal_json import canonical, parse_literal
from routers.refusal import RefusalReason
from routers.verification import HmacScheme, KeyForm, Secret
from tests.unit.calls import NOW, SECRET, call, refusal

BODY = b'{"id":"evt_1"}'


@pytest.mark.parametrize("key, written", [(KeyForm.HEX, b"6B6579"), (KeyForm.BASE64, b"whsec_a2V5")])
def test_a_key_is_read_in_its_form(key: KeyForm, written: bytes) -> None:
    """And a secret in another form opens nothing."""
    scheme = HmacScheme("x-sig", key=key)
    sent = call(BODY, [("x-sig", hmac.new(b"key", BODY, "sha256").hexdigest())])

    scheme.verify(sent, [Secret(written)], NOW)
    assert refusal(scheme.verify, sent, Secret(b"whsec_%%%")) is RefusalReason.KEY_UNUSABLE


def test_another_form_of_the_body_can_be_signed() -> None:
    """For those who sign what they have parsed."""
    scheme = HmacScheme("x-sig", digest="sha512", signed_body=lambda body: canonical(parse_literal(body)))
    signature = hmac.new(SECRET, b'{"a":1e-8,"b":2}', "sha512").hexdigest()

    scheme.verify(call(b'{"b": 2, "a": 1e-8}', [("x-sig", signature)]), [Secret(SECRET)], NOW)
