"""Adyen: standard webhooks of payments."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import orjson
from pydantic import SecretStr

from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import Event, OtherEvent
from routers.payments.currency import rescaled
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentDisputed,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentSucceeded,
)
from routers.payments.examples import adyen as examples
from routers.provider import Answer, Options, Provider, Received, Translation, Translator, idempotency_key
from routers.refusal import RefusalReason, Refused
from routers.sent import Sent
from routers.verification import (
    FieldScheme,
    KeyForm,
    Secret,
    SharedToken,
    SignatureEncoding,
    Verifier,
    all_of,
    in_basic,
    joined,
)

KIND: Final = "adyen"
DOCUMENTATION: Final = "https://docs.adyen.com/development-resources/webhooks"

# https://docs.adyen.com/development-resources/currency-codes: where Adyen's decimals are not ISO 4217's.
DECIMALS: Final[Mapping[str, int]] = {"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2}


class AdyenOptions(Options):
    """What `[sources.<name>.options]` may say."""

    capture: Literal["automatic", "manual"] = "automatic"
    """Whether an authorisation is captured by itself (it is the payment then) or by you."""
    basic: SecretStr | None = None
    """``user:password`` that Adyen sends as well; set here, it must be shown."""


def _item(body: Document) -> Document:
    """
    The one item of a call.

    https://docs.adyen.com/development-resources/webhooks/webhook-types: JSON carries exactly one. Of two, the
    second would be outside of what is verified.
    """
    items = body.find("notificationItems")
    if not isinstance(items, list) or len(items) != 1:
        raise Unreadable("notificationItems")
    item = body.find_objects("notificationItems")
    if not item:
        raise Unreadable("notificationItems")
    return item[0].find_object("NotificationRequestItem")


def signed_fields(call: Call) -> Mapping[str, str]:
    """The item's fields that are signed, and its signature."""
    try:
        item = _item(Document.from_literals(call.body))
    except Unreadable as error:
        raise Refused(RefusalReason.BODY_MALFORMED, error.where) from None
    fields = {name: item.find_text(name) or "" for name in SIGNED if "." not in name}
    fields["amount.value"] = item.find_text("amount", "value") or ""
    fields["amount.currency"] = item.find_text("amount", "currency") or ""
    fields["hmacSignature"] = item.find_text("additionalData", "hmacSignature") or ""
    return fields


# https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures
SIGNED: Final = (
    "pspReference",
    "originalReference",
    "merchantAccountCode",
    "merchantReference",
    "amount.value",
    "amount.currency",
    "eventCode",
    "success",
)
SIGNATURE: Final = FieldScheme(
    "hmacSignature",
    joined(":", SIGNED),
    fields=signed_fields,
    keyed=True,
    key=KeyForm.HEX,
    encoding=SignatureEncoding.BASE64,
)


def translating(*, captured_at_once: bool) -> Translator:
    """Translate for an account that captures by itself, or not."""
    paid: type[PaymentEvent] = PaymentSucceeded if captured_at_once else PaymentAuthorized
    meanings: Mapping[tuple[str, bool], type[PaymentEvent]] = {
        ("PENDING", True): PaymentPending,
        ("AUTHORISATION", True): paid,
        ("AUTHORISATION", False): PaymentFailed,
        ("CAPTURE", True): PaymentSucceeded,
        ("CAPTURE_FAILED", True): PaymentFailed,
        ("CANCELLATION", True): PaymentCanceled,
        ("REFUND", True): PaymentPartiallyRefunded,
        ("CHARGEBACK", True): PaymentDisputed,
    }

    def translate(call: Call, now: datetime) -> Translation:
        """
        An item in our words; the payment, its event and success are the idempotency key.

        A refund tells its own sum only, so each names itself.
        """
        body = Document.from_literals(call.content)
        item = _item(body)
        reference, code = item.text("pspReference"), item.text("eventCode")
        success = item.find_text("success") == "true"
        payment = item.find_text("originalReference") or reference
        model = meanings.get((code, success))
        common = {
            "provider": KIND,
            "object_id": payment,
            "occurred_at": item.find_time("eventDate") or now,
            "test_mode": body.find_text("live") == "false",
        }
        event: Event
        if model is None:
            event = OtherEvent(type=f"{KIND}.{code}", **common)
        else:
            currency = item.currency("amount", "currency")
            amount = item.amount("amount", "value")
            if currency in DECIMALS:
                amount = rescaled(amount, currency, decimals=DECIMALS[currency])
            facts = {"reason": item.find_text("reason")} if model in _WITH_REASON else {}
            if model is PaymentPartiallyRefunded:
                facts = {"refund_id": reference}
            event = model(amount_minor=amount, currency=currency, **common, **facts)
        token = find_token(item.find_text("merchantReference"))
        return Translation(idempotency_key(reference, code, str(success)), event, token)

    return translate


_WITH_REASON: Final[Sequence[type[PaymentEvent]]] = (PaymentFailed, PaymentDisputed, PaymentCanceled)


def _verifier(basic: SecretStr | None) -> Verifier:
    if basic is None:
        return SIGNATURE.verify
    expected = [Secret(basic.get_secret_value().encode())]

    def shown(call: Call, _: Sequence[Secret], now: datetime) -> None:
        SharedToken(in_basic).verify(call, expected, now)

    return all_of(shown, SIGNATURE.verify)


def answer(_: Received) -> Answer:
    """Any 2xx; the words are what older accounts want to read."""
    return Answer(b"[accepted]", content_type="text/plain")


def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - no time, no address is signed
    """The call with its item's signature."""
    body = orjson.loads(sent.body)
    signature = SIGNATURE.signature_of(signed_fields(sent.as_call()), secret)
    body["notificationItems"][0]["NotificationRequestItem"]["additionalData"] = {"hmacSignature": signature}
    return Sent(orjson.dumps(body), (("Content-Type", "application/json"),))


def build(options: AdyenOptions) -> Provider:
    """The provider of one source."""
    return Provider(
        kind=KIND,
        verify=_verifier(options.basic),
        translate=translating(captured_at_once=options.capture == "automatic"),
        # https://docs.adyen.com/development-resources/webhooks/handle-webhook-events: up to 30 days.
        remember_for=timedelta(days=31),
        documentation=DOCUMENTATION,
        answer=answer,
        options=AdyenOptions,
        build=build,
        rewrite=rewrite,
        examples=examples.EXAMPLES,
        example_key=lambda: b"44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
    )


PROVIDER: Final = build(AdyenOptions())
