"""Monobank acquiring: invoices held, paid, failed, reversed, expired."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field

from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import Event, OtherEvent
from routers.payments.currency import alphabetic
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentEvent,
    PaymentFailed,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import monobank as examples
from routers.provider import Options, Provider, Translation, idempotency_key
from routers.question import Question
from routers.refusal import RefusalReason, Refused
from routers.verification import PublicKeyScheme, Secret, usable
from routers.verification.public_key import PublicKey, ec_p256

KIND: Final = "monobank"
DOCUMENTATION: Final = "https://api.monobank.ua/docs/acquiring.html"

# https://api.monobank.ua/docs/acquiring.html: the key changes seldom; it is asked for again when a signature
# does not fit.
KEY_KEPT_FOR: Final = timedelta(days=1)

STATUSES: Final[Mapping[str, type[PaymentEvent]]] = {
    "processing": PaymentPending,
    "hold": PaymentAuthorized,
    "success": PaymentSucceeded,
    "failure": PaymentFailed,
    "reversed": PaymentRefunded,
    "expired": PaymentCanceled,
}


class MonobankOptions(Options):
    """What `[sources.<name>.options]` may say."""

    api_base: str = Field(default="https://api.monobank.ua", pattern=r"^https?://[^\s/]+$")


def _key(evidence: bytes) -> PublicKey:
    # The answer's `key` is the base64 of a PEM.
    try:
        return ec_p256(Document.from_json(evidence).text("key").encode())
    except Unreadable:
        raise ValueError("no key") from None


SIGNATURE: Final = PublicKeyScheme("X-Sign", _key, lambda call: call.body, fetched=True)


def translate(call: Call, now: datetime) -> Translation:
    """
    An invoice in our words.

    It has no event id: invoice, status and time of change are the idempotency key. A later change may come
    first; the rank keeps it.
    """
    body = Document.from_json(call.content)
    invoice_id, status = body.text("invoiceId"), body.text("status")
    modified = body.find_text("modifiedDate") or ""
    common = {
        "provider": KIND,
        "object_id": invoice_id,
        "occurred_at": body.find_time("modifiedDate") or now,
    }
    model = STATUSES.get(status)
    event: Event
    if model is None:
        event = OtherEvent(type=f"{KIND}.{status}", **common)
    else:
        # Amounts are in the currency's minor units, the currency is its ISO 4217 number.
        currency = alphabetic(body.literal("ccy"))
        final = body.find_integer("finalAmount")
        amount = body.amount("amount") if final is None or model is not PaymentSucceeded else max(0, final)
        facts = {"reason": body.find_text("failureReason")} if model is PaymentFailed else {}
        event = model(amount_minor=amount, currency=currency, **common, **facts)
    token = find_token(body.find_text("reference"))
    return Translation(idempotency_key(invoice_id, status, modified), event, token)


def build(options: MonobankOptions) -> Provider:
    """The provider of one source."""

    def evidence(call: Call, secrets: Sequence[Secret], now: datetime) -> Question:
        """Ask for the key that the bank signs with: the merchant's token opens it."""
        if not call.has_header("X-Sign"):
            raise Refused(RefusalReason.HEADER_MISSING, "X-Sign")
        token = usable(secrets, now)[0].decode("ascii", "replace")
        url = f"{options.api_base}/api/merchant/pubkey"
        return Question(url, (("X-Token", token),), keep_for=KEY_KEPT_FOR)

    return Provider(
        kind=KIND,
        verify=SIGNATURE.verify,
        translate=translate,
        # Three attempts. The signature holds for ever, so a month.
        remember_for=timedelta(days=31),
        documentation=DOCUMENTATION,
        evidence=evidence,
        options=MonobankOptions,
        build=build,
        sign=examples.sign,
        examples=examples.EXAMPLES,
        example_key=examples.private_key,
        example_evidence=examples.public_key_answer,
        known_half=examples.merchant_token,
    )


PROVIDER: Final = build(MonobankOptions())
