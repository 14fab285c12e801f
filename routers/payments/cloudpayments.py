"""CloudPayments: a question before each payment, and what becomes of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus, urlencode

import orjson
from pydantic import HttpUrl

from routers.call import Call
from routers.decision import Decision
from routers.document import Document, Unreadable, find_token
from routers.event import Customer, Event, OtherEvent
from routers.inquiry import Inquiry, Page
from routers.payments.currency import minor_units
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentCheck,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import cloudpayments as examples
from routers.provider import Answer, Options, Provider, Received, Translation, idempotency_key
from routers.question import Question, basic
from routers.refusal import RefusalReason, Refused
from routers.sent import Sent
from routers.verification import HmacScheme, Secret, SignatureEncoding, any_of, usable

KIND: Final = "cloudpayments"
DOCUMENTATION: Final = "https://developers.cloudpayments.ru/#uvedomleniya"


class CloudPaymentsOptions(Options):
    """What `[sources.<name>.options]` may say."""

    public_id: str | None = None
    """The site's Public ID, so that an invoice can be asked for."""
    api_base: HttpUrl = HttpUrl("https://api.cloudpayments.ru")


def _unquoted(body: bytes) -> bytes:
    try:
        return unquote_plus(body.decode("ascii"), errors="strict").encode()
    except ValueError:
        raise Refused(RefusalReason.BODY_MALFORMED, "not a form") from None


# https://developers.cloudpayments.ru/#proverka-uvedomleniy: two headers, over the body as it was sent and
# over the decoded one. No time is signed, the idempotency key stops a replay.
RAW: Final = HmacScheme(header="Content-HMAC", encoding=SignatureEncoding.BASE64)
DECODED: Final = HmacScheme(header="X-Content-HMAC", encoding=SignatureEncoding.BASE64, signed_body=_unquoted)

# https://developers.cloudpayments.ru/#uvedomleniya: each notification has an address of its own.
NOTIFICATIONS: Final[Mapping[str, type[PaymentEvent]]] = {
    "check": PaymentCheck,
    "pay": PaymentSucceeded,
    "confirm": PaymentSucceeded,
    "fail": PaymentFailed,
    "cancel": PaymentCanceled,
    "refund": PaymentPartiallyRefunded,
}
# https://developers.cloudpayments.ru/#check
CODES: Final[Mapping[Decision, int]] = {
    Decision.ACCEPTED: 0,
    Decision.UNKNOWN: 10,
    Decision.MISMATCHED: 12,
    Decision.DECLINED: 13,
    Decision.LATE: 13,
}


def notification_of(call: Call) -> str:
    """What the address says the call is: ``?type=pay``."""
    try:
        types = [value for name, value in parse_qsl(call.query.decode("ascii")) if name == "type"]
    except ValueError:
        types = []
    if len(types) != 1:
        raise Unreadable("type in the address")
    return types[0].lower()


def translate(call: Call, now: datetime) -> Translation:
    """
    A notification in our words; its kind and its transaction are the idempotency key.

    A refund tells its own sum only, so each names itself.
    """
    kind = notification_of(call)
    body = Document.from_form(call)
    transaction = body.text("TransactionId")
    model = NOTIFICATIONS.get(kind)
    if model is PaymentSucceeded and body.find_text("Status") == "Authorized":
        model = PaymentAuthorized
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": body.find_text("PaymentTransactionId") or transaction,
        "occurred_at": _time(body) or now,
        "test_mode": body.find_text("TestMode") == "1",
        "customer": Customer(name=body.find_text("Name"), email=body.find_text("Email")),
    }
    event: Event
    if model is None:
        event = OtherEvent(type=f"{KIND}.{kind}", **common)
    else:
        currency = body.currency("Currency") if body.find("Currency") else "RUB"
        facts: dict[str, Any] = {
            "amount_minor": minor_units(body.text("Amount"), currency),
            "currency": currency,
        }
        if model is PaymentFailed:
            facts["reason"] = body.find_text("Reason")
        elif model is PaymentPartiallyRefunded:
            facts["refund_id"] = transaction
        event = model(**common, **facts)
    token = find_token(body.find_text("InvoiceId"), _token_in(body.find_text("Data")))
    return Translation(idempotency_key(kind, transaction), event, token)


def _time(body: Document) -> datetime | None:
    # https://developers.cloudpayments.ru/#pay: yyyy-MM-dd HH:mm:ss, in UTC.
    try:
        return datetime.strptime(body.find_text("DateTime") or "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _token_in(data: str | None) -> str | None:
    """The token in what was given to the widget as `data`: JSON as a text."""
    try:
        return Document.from_json((data or "").encode()).find_text("token")
    except (Unreadable, UnicodeEncodeError):
        return None


def _inquiry(options: CloudPaymentsOptions) -> Inquiry | None:
    """https://developers.cloudpayments.ru/#proverka-statusa-platezha"""
    base, public_id = str(options.api_base).rstrip("/"), options.public_id
    if public_id is None:
        return None

    def by_token(secrets: Sequence[Secret], now: datetime, token: str) -> Question:
        secret = usable(secrets, now)[0].decode("utf-8", "replace")
        headers = (basic(public_id, secret), ("Content-Type", "application/json"))
        return Question(f"{base}/v2/payments/find", headers, "POST", orjson.dumps({"InvoiceId": token}))

    return Inquiry(_page, by_token=by_token)


def _page(answer: bytes) -> Page:
    body = Document.from_literals(answer)
    kind = _KINDS.get(body.find_text("Model", "Status") or "")
    if kind is None:
        return Page(())
    model = body.find_object("Model").raw
    # As the notifications tell it: a form to the address of its kind.
    fields = {name: str(value) for name, value in model.items() if isinstance(value, str) and value}
    fields.pop("DateTime", None)
    return Page([Call(urlencode(fields).encode(), query=f"type={kind}".encode())])


# https://developers.cloudpayments.ru/#statusy-operatsiy
_KINDS: Final[Mapping[str, str]] = {
    "Completed": "pay",
    "Authorized": "pay",
    "Declined": "fail",
    "Cancelled": "cancel",
}


def answer(_: Received) -> Answer:
    """Exactly this, or it comes again."""
    return Answer(b'{"code":0}')


def decided(_: Received, decision: Decision) -> Answer:
    """0 lets the payment be made; every other number declines it."""
    return Answer(orjson.dumps({"code": CODES[decision]}))


def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - no time, no address is signed
    """The form to the address of its kind, with both signatures."""
    kind, _, form = sent.body.partition(b"?")
    headers = [*RAW.sign(form, secret, at), *DECODED.sign(form, secret, at)]
    content_type = ("Content-Type", "application/x-www-form-urlencoded")
    return Sent(form, (content_type, *headers), query=f"type={kind.decode()}")


def build(options: CloudPaymentsOptions) -> Provider:
    """The provider of one source."""
    return Provider(
        kind=KIND,
        verify=any_of(RAW.verify, DECODED.verify),
        translate=translate,
        # Up to a hundred attempts. The signature holds for ever, so a month.
        remember_for=timedelta(days=31),
        documentation=DOCUMENTATION,
        answer=answer,
        decided=decided,
        inquiry=_inquiry(options),
        options=CloudPaymentsOptions,
        build=build,
        rewrite=rewrite,
        examples=examples.EXAMPLES,
        example_options={"public_id": "pk_of_the_examples"},
    )


PROVIDER: Final = build(CloudPaymentsOptions())
