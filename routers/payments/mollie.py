"""Mollie's classic webhooks: an id and nothing else, so the payment is asked for."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
from pydantic import HttpUrl, SecretStr

from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import Event, OtherEvent
from routers.form import form_of
from routers.inquiry import Inquiry, Page
from routers.payments.currency import minor_units
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentDisputed,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import mollie as examples
from routers.provider import Asking, Options, Proof, Provider, Translation, idempotency_key
from routers.question import Question, bearer
from routers.refusal import RefusalReason, Refused
from routers.sent import Sent
from routers.verification import Secret, SharedToken, Verifier, in_path, usable

KIND: Final = "mollie"
DOCUMENTATION: Final = "https://docs.mollie.com/reference/webhooks"

_ID: Final = re.compile(r"tr_[A-Za-z0-9]{4,60}", re.ASCII)

# https://docs.mollie.com/docs/status-change
STATUSES: Final[dict[str, type[PaymentEvent]]] = {
    "pending": PaymentPending,
    "authorized": PaymentAuthorized,
    "paid": PaymentSucceeded,
    "failed": PaymentFailed,
    "canceled": PaymentCanceled,
    "expired": PaymentCanceled,
}


class MollieOptions(Options):
    path_secret: SecretStr | None = None
    """What follows the source's name in the address. Without it anybody can make us ask Mollie."""
    api_base: HttpUrl = HttpUrl("https://api.mollie.com/v2")


def translate(call: Call, now: datetime) -> Translation:
    """
    The payment as the API tells it, in our words.

    The same id comes for each change of status, so the status is part of the idempotency key, and so is what
    of it went back.
    """
    if call.fetched is None:
        raise Unreadable("the payment was not asked for")
    payment = Document.from_json(call.fetched)
    payment_id, status = payment.text("id"), payment.text("status")
    amount, currency = _money(payment, "amount")
    refunded = _part(payment, "amountRefunded", currency)
    charged_back = _part(payment, "amountChargedBack", currency)
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": payment_id,
        "occurred_at": _time(payment) or now,
        "test_mode": payment.find_text("mode") == "test",
    }
    facts: dict[str, Any] = {"amount_minor": amount, "currency": currency}
    model: type[PaymentEvent] | None = STATUSES.get(status)
    if charged_back:
        model, facts["amount_minor"] = PaymentDisputed, charged_back
    elif refunded:
        model = PaymentRefunded if refunded >= amount else PaymentPartiallyRefunded
        facts["amount_minor"] = refunded
    elif model is PaymentFailed:
        facts["reason"] = payment.find_text("details", "failureReason")
    elif status == "expired":
        facts["reason"] = "expired"
    event: Event = (
        OtherEvent(type=f"{KIND}.{status}", **common) if model is None else model(**common, **facts)
    )
    # The metadata is whatever we gave: an object, or a text that is the token itself.
    token = find_token(payment.find_text("metadata", "token"), payment.find_text("metadata"))
    key = idempotency_key(payment_id, status, str(refunded), str(charged_back))
    return Translation(key, event, token)


def _money(payment: Document, name: str) -> tuple[int, str]:
    currency = payment.currency(name, "currency")
    return minor_units(payment.text(name, "value"), currency), currency


def _part(payment: Document, name: str, currency: str) -> int:
    if payment.find(name) is None:
        return 0
    part, part_currency = _money(payment, name)
    if part_currency != currency:
        raise Unreadable(f"{name}.currency")
    return part


def _time(payment: Document) -> datetime | None:
    names = ("paidAt", "canceledAt", "expiredAt", "failedAt", "authorizedAt")
    return next((at for name in names if (at := payment.find_time(name)) is not None), None)


def payment_id_of(call: Call) -> str:
    """The id that a call carries; raises `Refused` where it is none of a payment."""
    try:
        payment_id = form_of(call).get("id", "")
    except ValueError:
        payment_id = ""
    if _ID.fullmatch(payment_id) is None:
        raise Refused(RefusalReason.BODY_MALFORMED, "no id of a payment")
    return payment_id


def payment_question(options: MollieOptions, payment_id: str, secret: bytes) -> Question:
    """https://docs.mollie.com/reference/get-payment"""
    base = str(options.api_base).rstrip("/")
    return Question(f"{base}/payments/{payment_id}", (bearer(secret.decode("ascii", "replace")),))


def _asking(options: MollieOptions) -> Asking:
    def lookup(call: Call, secrets: Sequence[Secret], now: datetime) -> Question | None:
        return payment_question(options, payment_id_of(call), usable(secrets, now)[0])

    return lookup


def _inquiry(options: MollieOptions) -> Inquiry:
    """https://docs.mollie.com/reference/list-payments"""
    base = str(options.api_base).rstrip("/")

    def recent(secrets: Sequence[Secret], now: datetime, since: datetime, cursor: str | None) -> Question:  # noqa: ARG001 - the list has no such limit
        query = {"limit": "100", **({"from": cursor} if cursor else {})}
        credentials = bearer(usable(secrets, now)[0].decode("ascii", "replace"))
        return Question(f"{base}/payments?{urlencode(query)}", (credentials,))

    return Inquiry(_page, recent)


def _page(answer: bytes) -> Page:
    body = Document.from_json(answer)
    payments = body.find_objects("_embedded", "payments")
    calls = [Call(b"", fetched=orjson.dumps(each.raw)) for each in payments]
    following = urlsplit(body.find_text("_links", "next", "href") or "").query
    cursor = dict(parse_qsl(following)).get("from")
    return Page(calls, cursor, payments[-1].find_time("createdAt") if payments else None)


def _verifier(options: MollieOptions) -> Verifier:
    shown = SharedToken(in_path)

    def verify(call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        """Hold the call to its secret address, where there is one; the API decides about the rest."""
        usable(secrets, now)
        payment_id_of(call)
        if options.path_secret is not None:
            shown.verify(call, [Secret(options.path_secret.get_secret_value().encode())], now)

    return verify


def build(options: MollieOptions) -> Provider:
    """The provider of one source."""

    def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - nothing is signed
        path_secret = options.path_secret.get_secret_value() if options.path_secret else ""
        headers = (("Content-Type", "application/x-www-form-urlencoded"),)
        return Sent(sent.body, headers, path_secret=path_secret)

    return Provider(
        kind=KIND,
        verify=_verifier(options),
        translate=translate,
        # Ten attempts over 26 hours. Replays are harmless, as the API is asked; a month keeps them quiet.
        remember_for=timedelta(days=31),
        documentation=DOCUMENTATION,
        proof=Proof.API,
        lookup=_asking(options),
        inquiry=_inquiry(options),
        options=MollieOptions,
        build=build,
        rewrite=rewrite,
        examples=examples.EXAMPLES,
        api_examples=examples.API_EXAMPLES,
        example_options={"path_secret": "a-part-of-the-address"},
    )


PROVIDER: Final = build(MollieOptions())
