"""Adyen: against its own library, in both directions, and its published example."""

from base64 import b64encode

import orjson
import pytest
from Adyen.util import (  # type: ignore[import-untyped]  # Adyen ships no types
    generate_notification_sig,
    is_valid_hmac_notification,
)

from routers.document import Unreadable
from routers.payments import adyen
from routers.payments.events import PaymentAuthorized, PaymentPartiallyRefunded, PaymentSucceeded
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, call, genuine

#: https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures
KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
PUBLISHED = {
    "pspReference": "7914073381342284",
    "merchantAccountCode": "TestMerchant",
    "merchantReference": "TestPayment-1407325143704",
    "amount": {"value": 1130, "currency": "EUR"},
    "eventCode": "AUTHORISATION",
    "success": "true",
    "additionalData": {"hmacSignature": "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="},
}
SECRETS = [Secret(KEY.encode())]


def body(*items: object) -> bytes:
    """A call with *items*."""
    return orjson.dumps(
        {"live": "false", "notificationItems": [{"NotificationRequestItem": item} for item in items]}
    )


def test_the_published_example_is_genuine() -> None:
    """A field that is absent counts as empty."""
    adyen.PROVIDER.verify(call(body(PUBLISHED)), SECRETS, NOW)


@pytest.mark.parametrize("reference", ["plain", "with:colon", "back\\slash", "ключ", ""])
def test_what_their_library_signs_we_accept(reference: str) -> None:
    """Values are joined as they are, with nothing escaped."""
    item = {**PUBLISHED, "merchantReference": reference, "originalReference": "x"}
    signature = generate_notification_sig(item, KEY).decode()

    adyen.PROVIDER.verify(call(body({**item, "additionalData": {"hmacSignature": signature}})), SECRETS, NOW)


@pytest.mark.parametrize("own_type", adyen.PROVIDER.examples)
def test_what_our_signer_signs_their_library_accepts(own_type: str) -> None:
    """Every example."""
    assert is_valid_hmac_notification(orjson.loads(genuine(adyen.PROVIDER, own_type).body), KEY)


@pytest.mark.parametrize(
    "raw",
    [
        body(PUBLISHED, {**PUBLISHED, "pspReference": "not signed by anybody"}),
        body(),
        b"{}",
        b"[]",
        orjson.dumps({"notificationItems": [1]}),
        body({**PUBLISHED, "additionalData": None}),
    ],
)
def test_more_or_less_than_one_signed_item_is_refused(raw: bytes) -> None:
    """A second item would ride in on the signature of the first."""
    with pytest.raises(Refused) as caught:
        adyen.PROVIDER.verify(call(raw), SECRETS, NOW)
    assert caught.value.reason is RefusalReason.BODY_MALFORMED


def test_the_account_says_whether_an_authorisation_is_the_payment() -> None:
    """Captured at once it is; otherwise its capture is."""
    manual = adyen.PROVIDER.configured({"capture": "manual"})
    sent = genuine(adyen.PROVIDER, "AUTHORISATION")
    capture = manual.translate(genuine(manual, "CAPTURE"), NOW)

    assert isinstance(adyen.PROVIDER.translate(sent, NOW).event, PaymentSucceeded)
    assert isinstance(manual.translate(sent, NOW).event, PaymentAuthorized)
    assert isinstance(capture.event, PaymentSucceeded)
    assert capture.object_key == manual.translate(sent, NOW).object_key
    assert (capture.event.amount_minor, capture.event.currency, capture.token) == (4200, "EUR", TOKEN)


def test_each_refund_counts() -> None:
    """Adyen tells the part that goes back, so each refund names itself."""
    event = adyen.PROVIDER.translate(genuine(adyen.PROVIDER, "REFUND"), NOW).event

    assert isinstance(event, PaymentPartiallyRefunded)
    assert event.refund_id is not None


@pytest.mark.parametrize(
    "currency, value, amount", [("ISK", 12300, 123), ("IDR", 5, 500), ("JPY", 5, 5), ("KWD", 5, 5)]
)
def test_amounts_are_in_the_currencys_real_minor_unit(currency: str, value: int, amount: int) -> None:
    """Adyen counts some currencies in another unit than ISO 4217."""
    raw = body({**PUBLISHED, "amount": {"value": value, "currency": currency}})
    event = adyen.PROVIDER.translate(call(raw), NOW).event

    assert isinstance(event, PaymentSucceeded)
    assert event.amount_minor == amount


def test_an_amount_finer_than_the_minor_unit_is_unreadable() -> None:
    """It is kept, and never rounded."""
    with pytest.raises(Unreadable):
        adyen.PROVIDER.translate(call(body({**PUBLISHED, "amount": {"value": 1, "currency": "ISK"}})), NOW)


def test_a_user_and_password_that_are_set_must_be_shown() -> None:
    """Beside the signature, not in its place."""
    provider = adyen.PROVIDER.configured({"basic": "adyen:pa:ss"})
    shown = ("Authorization", "Basic " + b64encode(b"adyen:pa:ss").decode())

    provider.verify(call(body(PUBLISHED), [shown]), SECRETS, NOW)
    for headers in ([], [("Authorization", "Basic " + b64encode(b"adyen:pass").decode())]):
        with pytest.raises(Refused):
            provider.verify(call(body(PUBLISHED), headers), SECRETS, NOW)
    with pytest.raises(Refused):
        provider.verify(call(body({**PUBLISHED, "success": "false"}), [shown]), SECRETS, NOW)
