"""T-Bank acquiring: payments authorized, confirmed, given back, rejected."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
from pydantic import HttpUrl, IPvAnyNetwork

from routers.call import Call
from routers.document import Document, find_token
from routers.event import Event, OtherEvent
from routers.inquiry import Inquiry, Page
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import tbank as examples
from routers.provider import Answer, Options, Provider, Received, Translation, idempotency_key
from routers.question import Question
from routers.sent import Sent
from routers.verification import AllowedNetworks, FieldScheme, Secret, all_of, json_scalars, usable

KIND: Final = "tbank"

# https://developer.tbank.ru/eacq/intro/developer/notification: where notifications come from.
NETWORKS: Final = AllowedNetworks.of("91.194.226.0/23", "91.218.132.0/22", "212.233.80.0/22").networks

STATUSES: Final[Mapping[str, type[PaymentEvent]]] = {
    "AUTHORIZED": PaymentAuthorized,
    "CONFIRMED": PaymentSucceeded,
    "REJECTED": PaymentFailed,
    "REVERSED": PaymentCanceled,
    "DEADLINE_EXPIRED": PaymentCanceled,
    "PARTIAL_REFUNDED": PaymentPartiallyRefunded,
    "REFUNDED": PaymentRefunded,
}


class TBankOptions(Options):
    """What `[sources.<name>.options]` may say."""

    networks: tuple[IPvAnyNetwork, ...] = ()
    """Networks to take calls from only; T-Bank's own are on its page. Empty: the token alone decides."""
    terminal_key: str | None = None
    """The terminal, so that an order can be asked for."""
    api_base: HttpUrl = HttpUrl("https://securepay.tinkoff.ru/v2")


def signed_values(fields: Mapping[str, str], password: bytes) -> bytes:
    """
    The values of all scalar fields but the token and of `Password`, joined in the order of the names.

    https://developer.tbank.ru/eacq/intro/developer/token
    """
    named = {
        **{name: value.encode() for name, value in fields.items() if name != "Token"},
        "Password": password,
    }
    return b"".join(named[name] for name in sorted(named))


SIGNATURE: Final = FieldScheme("Token", signed_values, fields=json_scalars, digest="sha256")


def translate(call: Call, now: datetime) -> Translation:
    """
    A notification in our words.

    It has no id: payment and status are the idempotency key, with the amount where parts go back one after
    another. `AUTHORIZED` and `CONFIRMED` of a one-stage payment come at the same moment, in any order.
    """
    body = Document.from_literals(call.content)
    status = body.text("Status")
    payment_id = body.literal("PaymentId")
    common = {"provider": KIND, "object_id": payment_id, "occurred_at": now}
    model = STATUSES.get(status)
    if body.find_text("NotificationType") in {"LINKCARD", "LINKACCOUNT"}:
        model = None
    event: Event
    parts = [body.find_text("TerminalKey") or "", payment_id, status]
    if model is None:
        event = OtherEvent(type=f"{KIND}.{status}", **common)
    else:
        # https://developer.tbank.ru/eacq/api: amounts are in kopecks, and always of roubles.
        amount = body.amount("Amount")
        event = model(amount_minor=amount, currency="RUB", **common)
        if model is PaymentPartiallyRefunded:
            parts.append(str(amount))
    token = find_token(
        body.find_text("OrderId"), body.find_text("Data", "token"), body.find_text("DATA", "token")
    )
    return Translation(idempotency_key(*parts), event, token)


def _inquiry(options: TBankOptions) -> Inquiry | None:
    """https://developer.tbank.ru/eacq/api/check-order"""
    base, terminal = str(options.api_base).rstrip("/"), options.terminal_key
    if terminal is None:
        return None

    def by_token(secrets: Sequence[Secret], now: datetime, token: str) -> Question:
        fields = {"TerminalKey": terminal, "OrderId": token}
        body = {**fields, "Token": SIGNATURE.signature_of(fields, usable(secrets, now)[0])}
        headers = (("Content-Type", "application/json"),)
        return Question(f"{base}/CheckOrder", headers, "POST", orjson.dumps(body))

    return Inquiry(_page, by_token=by_token)


def _page(answer: bytes) -> Page:
    body = Document.from_json(answer)
    order = {"TerminalKey": body.text("TerminalKey"), "OrderId": body.text("OrderId")}
    payments = body.find_objects("Payments")
    # As the notifications tell it: the order's fields and the payment's beside each other.
    return Page([Call(b"", fetched=orjson.dumps({**payment.raw, **order})) for payment in payments])


def answer(_: Received) -> Answer:
    """Exactly `OK`, or T-Bank comes again every hour for a day."""
    return Answer(b"OK", content_type="text/plain")


def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - no time, no address is signed
    """The notification with its token."""
    fields = json_scalars(sent.as_call())
    body = {**orjson.loads(sent.body), "Token": SIGNATURE.signature_of(fields, secret)}
    return Sent(orjson.dumps(body), (("Content-Type", "application/json"),), remote_address="91.194.226.10")


def build(options: TBankOptions) -> Provider:
    """The provider of one source."""
    return Provider(
        kind=KIND,
        verify=all_of(AllowedNetworks(options.networks).verify, SIGNATURE.verify),
        translate=translate,
        # https://developer.tbank.ru/eacq/intro/developer/notification: every hour for a day. The token holds
        # for ever, so a month.
        remember_for=timedelta(days=31),
        documentation="https://developer.tbank.ru/eacq/intro/developer/notification",
        answer=answer,
        inquiry=_inquiry(options),
        options=TBankOptions,
        build=build,
        rewrite=rewrite,
        examples=examples.EXAMPLES,
        example_options={
            "networks": [str(network) for network in NETWORKS],
            "terminal_key": "1321054611234DEMO",
        },
    )


PROVIDER: Final = build(TBankOptions())
