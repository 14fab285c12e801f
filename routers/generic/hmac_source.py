"""The kind `hmac`: a sender that is described in `gateway.toml`, with no code."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from routers.call import Call
from routers.document import Unreadable, find_token
from routers.event import Customer, Event, OtherEvent
from routers.form import form_of
from routers.generic.examples import hmac_source as examples
from routers.generic.hmac_options import HmacOptions, MappedEvent, ReadOptions, SignatureOptions
from routers.generic.selection import Selection
from routers.literal_json import parse_literal
from routers.payments.currency import minor_units
from routers.payments.events import PaymentEvent
from routers.payments.subscriptions import SubscriptionEvent
from routers.provider import (
    Answer,
    Provider,
    Translation,
    Translator,
    digest_key,
    idempotency_key,
    plain_answer,
)
from routers.refusal import Refused
from routers.sent import Sent
from routers.verification import (
    HmacScheme,
    KeyForm,
    Pairs,
    Plain,
    Prefixed,
    SignatureEncoding,
    StandardWebhooks,
)
from routers.vocabulary import EVENTS

KIND: Final = "hmac"
_TIMES: Final = frozenset({"starts_at", "ends_at"})

Body = Mapping[str, Any]


def build(options: HmacOptions) -> Provider:
    """The provider that *options* describe."""
    scheme = _scheme(options.signature)
    answer = plain_answer if options.answer is None else _answering(options.answer)
    return replace(
        _BARE,
        verify=scheme.verify,
        translate=_translator(options),
        remember_for=timedelta(days=options.remember_days),
        answer=answer,
        rewrite=_rewriter(scheme, options.read),
        examples=examples.examples_of(options),
    )


def _scheme(options: SignatureOptions) -> HmacScheme | StandardWebhooks:
    if options.scheme == "standardwebhooks" or options.header is None:
        return StandardWebhooks()
    form: Plain | Prefixed | Pairs = Plain()
    if options.prefix is not None:
        form = Prefixed(options.prefix)
    elif options.pairs is not None:
        form = Pairs(options.pairs.separator, options.pairs.timestamp, options.pairs.signature)
    tolerance = options.tolerance_seconds
    return HmacScheme(
        header=options.header,
        form=form,
        signed=options.signed,
        digest=options.algorithm,
        encoding=SignatureEncoding(options.encoding),
        key=KeyForm(options.key),
        timestamp_header=options.timestamp_header,
        id_header=options.id_header,
        tolerance=None if tolerance is None else timedelta(seconds=tolerance),
    )


def _translator(options: HmacOptions) -> Translator:
    read = options.read
    kind = options.provider
    own_type = _typed(read)
    call_id = _optional("read.id", read.id)
    subject = _optional("read.object", read.object)
    time = _optional("read.time", read.time)
    tokens = [Selection("read.token", each) for each in read.token]
    customer = {name: Selection(f"read.customer.{name}", path) for name, path in read.customer.items()}
    steps = {name: _step(name, mapped, read) for name, mapped in options.events.items()}

    def translate(call: Call, now: datetime) -> Translation:
        body = _body(call, read)
        name = own_type(call, body)
        found_id = call_id.find_text(body) if call_id else None
        key = digest_key(call.body) if found_id is None else idempotency_key(found_id)
        common: dict[str, Any] = {
            "provider": kind,
            "object_id": (subject.find_text(body) if subject else None) or key,
            "occurred_at": (time.find_time(body) if time else None) or now,
            "customer": Customer(**{field: each.find_text(body) for field, each in customer.items()}),
        }
        step = steps.get(name)
        event: Event = OtherEvent(type=f"{kind}.{name}", **common) if step is None else step(body, common)
        return Translation(key, event, find_token(*(each.find_text(body) for each in tokens)))

    return translate


def _body(call: Call, read: ReadOptions) -> Body:
    try:
        body = form_of(call) if read.format == "form" else parse_literal(call.body)
    except ValueError as error:
        raise Unreadable(f"the body is not {read.format}") from error
    if not isinstance(body, dict):
        raise Unreadable("the body is not an object")
    return body


def _typed(read: ReadOptions) -> Callable[[Call, Body], str]:
    header = read.type_header
    if header is not None:

        def from_header(call: Call, _: Body) -> str:
            try:
                return call.header(header)
            except Refused as error:
                raise Unreadable(header) from error

        return from_header
    path = Selection("read.type", read.type or "")
    return lambda _, body: path.text(body)


def _optional(name: str, expression: str | None) -> Selection | None:
    return None if expression is None else Selection(name, expression)


def _step(own_type: str, mapped: MappedEvent, read: ReadOptions) -> Callable[[Body, dict[str, Any]], Event]:
    model = EVENTS[mapped.event]
    place = f"events.{own_type}"
    fields = {
        name: Selection(f"{place}.{name}", path) for name, path in (mapped.__pydantic_extra__ or {}).items()
    }
    of_money = issubclass(model, PaymentEvent | SubscriptionEvent)
    amount = _optional(f"{place}.amount", mapped.amount or read.amount) if of_money else None
    currency = _optional(f"{place}.currency", mapped.currency or read.currency) if of_money else None
    unit = mapped.unit or read.unit

    def event(body: Body, common: dict[str, Any]) -> Event:
        facts: dict[str, Any] = {
            name: each.find_time(body) if name in _TIMES else each.find_text(body)
            for name, each in fields.items()
        }
        if amount is not None and currency is not None:
            code = currency.text(body).upper()
            decimals = 0 if unit == "minor" else None
            facts |= {
                "amount_minor": minor_units(amount.text(body), code, decimals=decimals),
                "currency": code,
            }
        try:
            return model(**common, **facts)
        except ValidationError as error:
            raise Unreadable(place) from error

    return event


def _answering(text: str) -> Callable[[object], Answer]:
    answer = Answer(text.encode(), content_type="text/plain; charset=utf-8")
    return lambda _: answer


def _rewriter(
    scheme: HmacScheme | StandardWebhooks, read: ReadOptions
) -> Callable[[Sent, bytes, datetime, str], Sent]:
    content_type = "application/json" if read.format == "json" else "application/x-www-form-urlencoded"

    def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:
        event_id = f"call_{hashlib.sha256(sent.body).hexdigest()[:24]}"
        if isinstance(scheme, StandardWebhooks):
            signed = scheme.sign(sent.body, secret, at, event_id=event_id)
        else:
            signed = scheme.sign(sent.body, secret, at, event_id=event_id, url=url)
        return replace(sent, headers=(("Content-Type", content_type), *sent.headers, *signed))

    return rewrite


_EXAMPLE: Final = HmacOptions.model_validate(examples.OPTIONS)
_BARE: Final = Provider(
    kind=KIND,
    verify=_scheme(_EXAMPLE.signature).verify,
    translate=_translator(_EXAMPLE),
    remember_for=timedelta(days=_EXAMPLE.remember_days),
    documentation="docs/providers/hmac.md",
    options=HmacOptions,
    example_options=examples.OPTIONS,
)
PROVIDER: Final = replace(build(_EXAMPLE), build=build)
