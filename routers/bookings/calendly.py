"""Calendly: invitees who booked or called off."""

from datetime import datetime, timedelta
from typing import Final

from routers.bookings.events import BookingCanceled, BookingCreated
from routers.bookings.examples import calendly as examples
from routers.call import Call
from routers.document import Document, find_token
from routers.event import Customer, Event, OtherEvent
from routers.provider import Provider, Translation, idempotency_key
from routers.verification import HmacScheme, Pairs

KIND: Final = "calendly"

# https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures: three minutes are advised, and
# hold both ways.
SIGNATURE: Final = HmacScheme(
    header="Calendly-Webhook-Signature",
    form=Pairs(separator=",", timestamp="t", signature="v1"),
    signed="{timestamp}.{body}",
    tolerance=timedelta(minutes=3),
)


def translate(call: Call, now: datetime) -> Translation:
    """
    A Calendly call in our words.

    It has no event id: its type and the invitee's address are the idempotency key. A reschedule is told
    twice, as a canceled invitee with `rescheduled` and a created one with `old_invitee`, in any order
    (https://developer.calendly.com, "See how webhook payloads change"). The
    first is no cancellation and keeps Calendly's type.
    """
    body = Document.from_json(call.body)
    own_type = body.text("event")
    payload = body.find_object("payload")
    uri = payload.text("uri")
    common = {
        "provider": KIND,
        "object_id": uri,
        "occurred_at": body.find_time("created_at") or now,
        "customer": Customer(
            name=payload.find_text("name"),
            email=payload.find_text("email"),
            phone=payload.find_text("text_reminder_number"),
            timezone=payload.find_text("timezone"),
        ),
    }
    appointment = {
        "title": payload.find_text("scheduled_event", "name"),
        "starts_at": payload.find_time("scheduled_event", "start_time"),
        "ends_at": payload.find_time("scheduled_event", "end_time"),
    }
    event: Event
    match own_type:
        case "invitee.created":
            event = BookingCreated(**common, **appointment)
        case "invitee.canceled" if payload.find("rescheduled") is not True:
            reason = payload.find_text("cancellation", "reason")
            event = BookingCanceled(**common, **appointment, reason=reason)
        case _:
            event = OtherEvent(type=f"{KIND}.{own_type}", **common)
    token = find_token(
        payload.find_text("tracking", "utm_content"), payload.find_text("tracking", "utm_term")
    )
    return Translation(idempotency_key(own_type, uri), event, token)


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Calendly sends with *body*."""
    return [("Content-Type", "application/json"), *SIGNATURE.sign(body, secret, at)]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # 24 hours of attempts, then the subscription is switched off without a word.
    remember_for=timedelta(days=3),
    documentation="https://developer.calendly.com",
    sign=sign,
    examples=examples.EXAMPLES,
)
