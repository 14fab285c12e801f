"""Adyen's platform webhooks: against its own library, in both directions."""

import orjson
import pytest
from Adyen.util import (  # type: ignore[import-untyped]  # Adyen ships no types
    generate_payload_sig,
    is_valid_hmac_payload,
)

from routers.document import Unreadable
from routers.payments import adyen_platform
from routers.refusal import RefusalReason
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, call, genuine, refusal

PROVIDER = adyen_platform.PROVIDER
KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
OTHER_KEY = "A" * 64


@pytest.mark.parametrize("body", [b'{"type":"x"}', b'{ "type" : "\xd0\xba" }\n', b"", b"\xff\x00"])
def test_what_their_library_signs_we_accept(body: bytes) -> None:
    """Over the bytes as they are, before and after the key is changed."""
    sent = call(body, [("HmacSignature", generate_payload_sig(body, KEY).decode())])

    for keys in ([KEY], [OTHER_KEY, KEY], [KEY, OTHER_KEY]):
        PROVIDER.verify(sent, [Secret(key.encode()) for key in keys], NOW)
    assert refusal(PROVIDER.verify, sent, Secret(OTHER_KEY.encode())) is RefusalReason.SIGNATURE_WRONG


@pytest.mark.parametrize("own_type", PROVIDER.examples)
def test_what_our_signer_signs_their_library_accepts(own_type: str) -> None:
    """Every example."""
    sent = genuine(PROVIDER, own_type)

    assert is_valid_hmac_payload(sent.header("HmacSignature"), KEY, sent.body)


def test_an_event_keeps_adyens_name() -> None:
    """With the transfer as its object, and the token in its reference."""
    translation = PROVIDER.translate(genuine(PROVIDER, "balancePlatform.transfer.updated"), NOW)

    assert translation.event.type == "adyen.balancePlatform.transfer.updated"
    assert (translation.event.occurred_at, translation.token) == (NOW, TOKEN)
    assert translation.event.test_mode


def test_two_steps_of_one_transfer_are_two_events() -> None:
    """They share the object, and each is told once."""
    created, updated = (
        PROVIDER.translate(genuine(PROVIDER, f"balancePlatform.transfer.{step}"), NOW)
        for step in ("created", "updated")
    )

    assert created.object_key == updated.object_key
    assert created.idempotency_key != updated.idempotency_key


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", orjson.dumps({"data": {}, "type": 1})])
def test_what_names_no_type_is_unreadable(body: bytes) -> None:
    """It is kept all the same."""
    with pytest.raises(Unreadable):
        PROVIDER.translate(call(body), NOW)
