"""YCLIENTS: visits made, changed, deleted. Its calls prove nothing but that they know a secret address."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from pydantic import Field, HttpUrl, SecretStr, model_validator

from routers.bookings.events import (
    BookingCanceled,
    BookingCreated,
    BookingEvent,
    BookingNoShow,
    BookingRescheduled,
)
from routers.bookings.examples import yclients as examples
from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import Customer, Event, OtherEvent
from routers.provider import Asking, Options, Proof, Provider, Translation, digest_key, idempotency_key
from routers.question import Question
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret, SharedToken, in_path, usable

KIND: Final = "yclients"
DOCUMENTATION: Final = "https://developers.yclients.com/ru/#tag/Webhooks"

CHANGES: Final[Mapping[str, type[BookingEvent]]] = {
    "create": BookingCreated,
    # Of any kind: whether the time is another one, the handler sees by `starts_at`.
    "update": BookingRescheduled,
    "delete": BookingCanceled,
}
MISSED: Final = -1
"""https://developers.yclients.com/ru/: `attendance` of a guest who did not come."""
LONGEST_SECONDS: Final = 60 * 60 * 24 * 31


class YclientsOptions(Options):
    company_id: int | None = Field(default=None, ge=1)
    """With the two tokens: each visit that is told of is looked up, and only this company's."""
    partner_token: SecretStr | None = None
    user_token: SecretStr | None = None
    api_base: HttpUrl = HttpUrl("https://api.yclients.com")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if len({each is None for each in (self.company_id, self.partner_token, self.user_token)}) > 1:
            raise ValueError("looking visits up needs company_id, partner_token and user_token")
        return self


def translate(call: Call, now: datetime) -> Translation:
    """
    A change in our words, with the visit that was looked up; without one, with what the call says of it.

    It has no id: resource, change and its time are the idempotency key, and the bytes where no time is told.
    """
    body = Document.from_json(call.body)
    resource, change = body.text("resource"), body.text("status")
    number = body.literal("resource_id")
    data = body.find_object("data") if call.fetched is None else _looked_up(call.fetched, number)
    changed_at = data.find_text("last_change_date")
    model = CHANGES.get(change) if resource == "record" else None
    if model is BookingRescheduled and data.find_integer("attendance") == MISSED:
        model = BookingNoShow
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": f"{resource}/{number}",
        "occurred_at": data.find_time("last_change_date") or now,
        "customer": Customer(
            name=data.find_text("client", "name"),
            email=data.find_text("client", "email"),
            phone=data.find_text("client", "phone"),
        ),
    }
    event: Event = (
        OtherEvent(type=f"{KIND}.{resource}.{change}", **common)
        if model is None
        else model(**common, **_appointment(data))
    )
    parts = (
        (resource, number, change, changed_at)
        if changed_at
        else (resource, number, change, digest_key(call.body))
    )
    token = find_token(data.find_text("api_id"), data.find_text("custom_fields", "token"))
    return Translation(idempotency_key(*parts), event, token)


def _looked_up(answer: bytes, number: str) -> Document:
    visit = Document.from_json(answer).find_object("data")
    if visit.literal("id") != number:
        raise Unreadable("data.id")
    return visit


def _asking(options: YclientsOptions, partner: SecretStr, user: SecretStr) -> Asking:
    base = str(options.api_base).rstrip("/")
    # https://developers.yclients.com/ru/#section/Authentication: both tokens in one header.
    headers = (
        ("Accept", "application/vnd.yclients.v2+json"),
        ("Authorization", f"Bearer {partner.get_secret_value()}, User {user.get_secret_value()}"),
    )

    def lookup(call: Call, secrets: Sequence[Secret], now: datetime) -> Question | None:
        usable(secrets, now)
        try:
            body = Document.from_json(call.body)
            resource, change = body.text("resource"), body.text("status")
            company, number = body.literal("company_id"), body.literal("resource_id")
        except Unreadable:
            return None
        if resource != "record" or change == "delete":
            return None
        # The call is not signed: it must not make us ask for whatever else our tokens open.
        if company != str(options.company_id) or not (number.isascii() and number.isdecimal()):
            raise Refused(RefusalReason.NOT_CONFIRMED, "of another company")
        return Question(f"{base}/api/v1/record/{company}/{number}", headers)

    return lookup


def build(options: YclientsOptions) -> Provider:
    """YCLIENTS as one source has it."""
    if options.partner_token is None or options.user_token is None:
        return PROVIDER
    return replace(PROVIDER, lookup=_asking(options, options.partner_token, options.user_token))


def _appointment(data: Document) -> dict[str, Any]:
    services = data.find_objects("services")
    starts_at = data.find_time("datetime")
    lasts_seconds = data.find_integer("seance_length")
    ends_at = None
    if starts_at is not None and lasts_seconds is not None and 0 < lasts_seconds <= LONGEST_SECONDS:
        ends_at = _later(starts_at, timedelta(seconds=lasts_seconds))
    title = services[0].find_text("title") if services else None
    return {"title": title, "starts_at": starts_at, "ends_at": ends_at}


def _later(moment: datetime, by: timedelta) -> datetime | None:
    try:
        return moment + by
    except OverflowError:
        return None


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SharedToken(in_path).verify,
    translate=translate,
    # One attempt and no repeat. Whoever has the address can send anything again: a month.
    remember_for=timedelta(days=31),
    documentation=DOCUMENTATION,
    proof=Proof.TOKEN,
    options=YclientsOptions,
    build=build,
    rewrite=examples.rewrite,
    examples=examples.EXAMPLES,
    api_examples=examples.API_EXAMPLES,
    example_options={"company_id": 4564, "partner_token": "partner", "user_token": "user"},
)
