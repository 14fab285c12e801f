"""Acuity Scheduling: appointments made, moved, called off. Its calls are thin, so they are looked up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import Field, HttpUrl

from routers.bookings.events import BookingCanceled, BookingCreated, BookingEvent, BookingRescheduled
from routers.bookings.examples import acuity as examples
from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import Customer, Event, OtherEvent
from routers.form import form_of
from routers.provider import Asking, Options, Provider, Translation, idempotency_key
from routers.question import Question, basic
from routers.verification import HmacScheme, Secret, SignatureEncoding, usable

KIND: Final = "acuity"

# https://developers.acuityscheduling.com/docs/webhooks: the API key is the secret; no time is signed.
SIGNATURE: Final = HmacScheme(header="X-Acuity-Signature", encoding=SignatureEncoding.BASE64)

# `changed` comes beside each of the others, and for changes that are none of time: it keeps its name.
TRANSLATIONS: Final[dict[str, type[BookingEvent]]] = {
    "scheduled": BookingCreated,
    "rescheduled": BookingRescheduled,
    "canceled": BookingCanceled,
}
LONGEST_MINUTES: Final = 60 * 24 * 31


class AcuityOptions(Options):
    user_id: int = Field(ge=1)
    """The number beside the API key: the two together open the API."""
    api_base: HttpUrl = HttpUrl("https://acuityscheduling.com/api/v1")


def translate(call: Call, now: datetime) -> Translation:
    """
    A call in our words, with the appointment that was looked up.

    There is no event id and no time: action, appointment and its time as it is now are the idempotency key,
    so that moving an appointment twice is told twice.

    Raises:
        Unreadable: no form of Acuity's.
    """
    action, number = _fields(call)
    appointment = Document({}) if call.fetched is None else Document.from_json(call.fetched)
    starts_at = appointment.find_time("datetime")
    key = idempotency_key(action, number, starts_at.isoformat() if starts_at else "")
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": number,
        "occurred_at": now,
        "customer": _customer(appointment),
    }
    model = TRANSLATIONS.get(action)
    event: Event = (
        OtherEvent(type=f"{KIND}.{action}", **common)
        if model is None
        else model(
            **common,
            title=appointment.find_text("type"),
            starts_at=starts_at,
            ends_at=_ends_at(appointment, starts_at),
        )
    )
    return Translation(key, event, find_token(*_answers(appointment)))


def _fields(call: Call) -> tuple[str, str]:
    try:
        fields = form_of(call)
    except ValueError as error:
        raise Unreadable("the body is not a form") from error
    # Webhooks that were made by the API name their event with a noun before it.
    action = fields.get("action", "").removeprefix("appointment.")
    number = fields.get("id", "")
    if not action or not number.isdecimal() or not number.isascii():
        raise Unreadable("action, id")
    return action, number


def _ends_at(appointment: Document, starts_at: datetime | None) -> datetime | None:
    minutes = appointment.find_text("duration") or ""
    if starts_at is None or not minutes.isdecimal() or not 0 < int(minutes[:6]) <= LONGEST_MINUTES:
        return None
    try:
        return starts_at + timedelta(minutes=int(minutes[:6]))
    except OverflowError:
        return None


def _customer(appointment: Document) -> Customer:
    names = [appointment.find_text("firstName"), appointment.find_text("lastName")]
    return Customer(
        name=" ".join(name for name in names if name) or None,
        email=appointment.find_text("email"),
        phone=appointment.find_text("phone"),
        timezone=appointment.find_text("timezone"),
    )


def _answers(appointment: Document) -> list[str | None]:
    # https://developers.acuityscheduling.com/reference/get-appointments-id: intake forms with their values.
    forms = appointment.find_objects("forms")
    return [
        *(answer.find_text("value") for form in forms for answer in form.find_objects("values")),
        appointment.find_text("notes"),
    ]


def _asking(options: AcuityOptions) -> Asking:
    base = str(options.api_base).rstrip("/")

    def lookup(call: Call, secrets: Sequence[Secret], now: datetime) -> Question | None:
        try:
            action, number = _fields(call)
        except Unreadable:
            return None
        if action.startswith("order."):
            return None  # the id is then an order's
        key = usable(secrets, now)[0].decode("utf-8", "replace")
        return Question(f"{base}/appointments/{number}", (basic(str(options.user_id), key),))

    return lookup


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Acuity sends with *body*; the time is not part of them."""
    return [("Content-Type", "application/x-www-form-urlencoded"), *SIGNATURE.sign(body, secret, at)]


def build(options: AcuityOptions) -> Provider:
    """Acuity as one source has it."""
    return replace(PROVIDER, lookup=_asking(options))


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # How long Acuity tries is not documented. The signature holds for ever, so a month.
    remember_for=timedelta(days=31),
    documentation="https://developers.acuityscheduling.com/docs/webhooks",
    options=AcuityOptions,
    build=build,
    sign=sign,
    examples=examples.EXAMPLES,
    api_examples=examples.API_EXAMPLES,
    example_options={"user_id": 1},
)
