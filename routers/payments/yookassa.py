"""YooKassa: notifications that nobody signs, so the payment itself is asked for."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from pydantic import Field, HttpUrl, IPvAnyNetwork

from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import Event, OtherEvent
from routers.inquiry import Inquiry, Page
from routers.payments.currency import minor_units
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentEvent,
    PaymentPartiallyRefunded,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import yookassa as examples
from routers.provider import Asking, Options, Proof, Provider, Translation, idempotency_key
from routers.question import Question, basic
from routers.refusal import RefusalReason, Refused
from routers.sent import Sent
from routers.verification import AllowedNetworks, Secret, usable

KIND: Final = "yookassa"
DOCUMENTATION: Final = "https://yookassa.ru/developers/using-api/webhooks"

# https://yookassa.ru/developers/using-api/webhooks#ip. The official SDK has four narrower networks in the
# place of the last one; the documentation is newer.
NETWORKS: Final = AllowedNetworks.of(
    "185.71.76.0/27",
    "185.71.77.0/27",
    "77.75.153.0/25",
    "77.75.156.11",
    "77.75.156.35",
    "77.75.154.128/25",
    "2a02:5180::/32",
).networks

# https://yookassa.ru/developers/payment-acceptance/getting-started/payment-process#lifecycle: a pending
# payment waits for the payer, who has done nothing yet.
STATUSES: Final[dict[str, type[PaymentEvent]]] = {
    "waiting_for_capture": PaymentAuthorized,
    "succeeded": PaymentSucceeded,
    "canceled": PaymentCanceled,
}

_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


class YooKassaOptions(Options):
    shop_id: str = Field(min_length=1, max_length=64)
    """The shop's number; the secret is its key for the API."""
    networks: tuple[IPvAnyNetwork, ...] = NETWORKS
    """Where notifications come from. Empty: from anywhere, as the API is asked all the same."""
    api_base: HttpUrl = HttpUrl("https://api.yookassa.ru/v3")


def translate(call: Call, now: datetime) -> Translation:
    """
    The payment as the API tells it, in our words; or the notification, where it is of no payment.

    What the notification says of a payment is not believed: the payment's own status, and what of it went
    back, are the event and, with its id, the idempotency key.
    """
    if call.fetched is None:
        return _other(Document.from_json(call.body), now)
    payment = Document.from_json(call.fetched)
    payment_id, status = payment.text("id"), payment.text("status")
    amount, currency = _money(payment, "amount")
    refunded = 0
    if payment.find("refunded_amount") is not None:
        refunded, refunded_currency = _money(payment, "refunded_amount")
        if refunded_currency != currency:
            raise Unreadable("refunded_amount.currency")
    model = _model(status, amount, refunded)
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": payment_id,
        "occurred_at": payment.find_time("captured_at") or now,
        "test_mode": payment.find("test") is True,
    }
    event: Event
    if model is None:
        event = OtherEvent(type=f"{KIND}.payment.{status}", **common)
    else:
        facts: dict[str, Any] = {"amount_minor": refunded or amount, "currency": currency}
        if model is PaymentCanceled:
            facts["reason"] = payment.find_text("cancellation_details", "reason")
        event = model(**common, **facts)
    token = find_token(payment.find_text("metadata", "token"))
    return Translation(idempotency_key(payment_id, status, str(refunded)), event, token)


def _money(payment: Document, name: str) -> tuple[int, str]:
    currency = payment.currency(name, "currency")
    return minor_units(payment.text(name, "value"), currency), currency


def _model(status: str, amount: int, refunded: int) -> type[PaymentEvent] | None:
    if status == "succeeded" and refunded:
        return PaymentRefunded if refunded >= amount else PaymentPartiallyRefunded
    return STATUSES.get(status)


def _other(body: Document, now: datetime) -> Translation:
    own_type, object_id = body.text("event"), body.text("object", "id")
    event = OtherEvent(type=f"{KIND}.{own_type}", provider=KIND, object_id=object_id, occurred_at=now)
    token = find_token(body.find_text("object", "metadata", "token"))
    return Translation(idempotency_key(own_type, object_id), event, token)


def _payment_id(call: Call) -> str | None:
    """The payment that a notification is about; None: it is about something else."""
    try:
        body = Document.from_json(call.body)
        match body.text("event").partition(".")[0]:
            case "payment":
                payment_id = body.text("object", "id")
            case "refund":
                payment_id = body.text("object", "payment_id")
            case _:
                return None
    except Unreadable as error:
        raise Refused(RefusalReason.BODY_MALFORMED, error.where) from None
    if _ID.fullmatch(payment_id) is None:
        raise Refused(RefusalReason.BODY_MALFORMED, "the id of the payment")
    return payment_id


def payment_question(options: YooKassaOptions, payment_id: str, secret: bytes) -> Question:
    """https://yookassa.ru/developers/api#get_payment"""
    base = str(options.api_base).rstrip("/")
    credentials = basic(options.shop_id, secret.decode("utf-8", "replace"))
    return Question(f"{base}/payments/{payment_id}", (credentials,))


def _asking(options: YooKassaOptions) -> Asking:
    def lookup(call: Call, secrets: Sequence[Secret], now: datetime) -> Question | None:
        secret = usable(secrets, now)[0]
        payment_id = _payment_id(call)
        return None if payment_id is None else payment_question(options, payment_id, secret)

    return lookup


def _inquiry(options: YooKassaOptions) -> Inquiry:
    """https://yookassa.ru/developers/api#get_payments_list"""
    base = str(options.api_base).rstrip("/")

    def recent(secrets: Sequence[Secret], now: datetime, since: datetime, cursor: str | None) -> Question:
        created = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        query = {"limit": "100", "created_at.gte": created, **({"cursor": cursor} if cursor else {})}
        credentials = basic(options.shop_id, usable(secrets, now)[0].decode("utf-8", "replace"))
        return Question(f"{base}/payments?{urlencode(query)}", (credentials,))

    return Inquiry(_page, recent)


def _page(answer: bytes) -> Page:
    body = Document.from_json(answer)
    calls = [Call(b"", fetched=orjson.dumps(each.raw)) for each in body.find_objects("items")]
    return Page(calls, body.find_text("next_cursor"))


def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - nothing is signed
    """The notification from one of YooKassa's addresses: there is nothing else to it."""
    return Sent(sent.body, (("Content-Type", "application/json"),), remote_address="185.71.76.10")


def build(options: YooKassaOptions) -> Provider:
    """The provider of one source."""
    return Provider(
        kind=KIND,
        verify=AllowedNetworks(options.networks).verify,
        translate=translate,
        # https://yookassa.ru/developers/using-api/webhooks#using: 24 hours from the event. Replays are
        # harmless, as the API is asked; a month keeps them quiet.
        remember_for=timedelta(days=31),
        documentation=DOCUMENTATION,
        proof=Proof.API,
        lookup=_asking(options),
        inquiry=_inquiry(options),
        options=YooKassaOptions,
        build=build,
        rewrite=rewrite,
        examples=examples.EXAMPLES,
        api_examples=examples.API_EXAMPLES,
        example_options={"shop_id": "54401"},
    )


PROVIDER: Final = build(YooKassaOptions(shop_id="unset"))
