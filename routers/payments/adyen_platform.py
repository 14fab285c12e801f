"""Adyen: webhooks of a balance platform and of management, which are signed in a header."""

from datetime import datetime, timedelta
from typing import Final

from routers.call import Call
from routers.document import Document, find_token
from routers.event import OtherEvent
from routers.payments.adyen import answer
from routers.payments.examples import adyen_platform as examples
from routers.provider import Provider, Translation, digest_key
from routers.verification import HmacScheme, KeyForm, SignatureEncoding

KIND: Final = "adyen-platform"

# https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures: over the whole
# payload as it came; the key is written in hexadecimal digits.
SIGNATURE: Final = HmacScheme(header="HmacSignature", key=KeyForm.HEX, encoding=SignatureEncoding.BASE64)


def translate(call: Call, now: datetime) -> Translation:
    """
    A webhook under Adyen's own name for it: ``balancePlatform.transfer.updated``, ``merchant.created``.

    Not each kind names its event, and several tell of one object: the digest of the body, which is signed as
    a whole and repeated as it is, is the idempotency key.
    """
    body = Document.from_json(call.content)
    data = body.find_object("data")
    key = digest_key(call.body)
    occurred_at = body.find_time("timestamp") or body.find_time("createdAt") or now
    event = OtherEvent(
        type=f"adyen.{body.text('type')}",
        provider="adyen",
        object_id=data.find_text("id") or key,
        occurred_at=occurred_at,
        test_mode=body.find_text("environment") == "test",
    )
    # https://docs.adyen.com/api-explorer/transfer-webhooks/latest/post/balancePlatform.transfer.updated: your
    # reference of the transfer; `referenceForBeneficiary` goes on to the other side.
    token = find_token(
        data.find_text("reference"),
        data.find_text("referenceForBeneficiary"),
        data.find_text("accountHolder", "reference"),
    )
    return Translation(key, event, token)


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Adyen sends with *body*; the time is not part of them."""
    return [
        ("Content-Type", "application/json"),
        ("Protocol", "HmacSHA256"),
        *SIGNATURE.sign(body, secret, at),
    ]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # https://docs.adyen.com/development-resources/webhooks/handle-webhook-events: up to 30 days.
    remember_for=timedelta(days=31),
    documentation="https://docs.adyen.com/platforms/set-up-webhooks",
    answer=answer,
    sign=sign,
    examples=examples.EXAMPLES,
    example_key=lambda: b"44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
)
