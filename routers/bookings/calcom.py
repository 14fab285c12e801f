"""Cal.com: bookings made, moved, canceled, attended."""

from datetime import datetime, timedelta
from typing import Any, Final

from routers.bookings.events import (
    BookingCanceled,
    BookingCreated,
    BookingEnded,
    BookingEvent,
    BookingNoShow,
    BookingRejected,
    BookingRequested,
    BookingRescheduled,
    BookingStarted,
)
from routers.bookings.examples import calcom as examples
from routers.call import Call
from routers.document import Document, find_token
from routers.event import Customer, Event, OtherEvent
from routers.provider import Provider, Translation, digest_key, idempotency_key
from routers.verification import HmacScheme

KIND: Final = "calcom"

# https://cal.com/docs/developing/guides/automation/webhooks#verifying-the-authenticity-of-the-received-payload
# No timestamp is signed, so an old call cannot be told from a new one: the idempotency key stops a replay.
# The literal stands where the webhook has no secret in Cal.com
# (packages/features/webhooks/lib/sendPayload.ts).
SIGNATURE: Final = HmacScheme(header="X-Cal-Signature-256", unsigned=frozenset({"no-secret-provided"}))

# https://cal.com/docs/developing/guides/automation/webhooks#webhook-variable-list
TRANSLATIONS: Final[dict[str, type[BookingEvent]]] = {
    "BOOKING_REQUESTED": BookingRequested,
    "BOOKING_CREATED": BookingCreated,
    "BOOKING_RESCHEDULED": BookingRescheduled,
    "BOOKING_CANCELLED": BookingCanceled,
    "BOOKING_REJECTED": BookingRejected,
    "BOOKING_NO_SHOW_UPDATED": BookingNoShow,
    "MEETING_STARTED": BookingStarted,
    "MEETING_ENDED": BookingEnded,
}


def translate(call: Call, now: datetime) -> Translation:
    """
    A Cal.com call in our words.

    It has no event id: trigger, booking and creation time together are the idempotency key, and the bytes
    themselves where one of these is missing.
    """
    body = Document.from_json(call.body)
    trigger = body.text("triggerEvent")
    # Scheduled triggers (MEETING_STARTED, MEETING_ENDED) carry the booking's fields beside `triggerEvent`.
    payload = body.find_object("payload") if isinstance(body.find("payload"), dict) else body
    uid = payload.find_text("uid") or payload.find_text("bookingUid")
    created_at = body.find_text("createdAt")
    key = idempotency_key(trigger, uid, created_at) if uid and created_at else digest_key(call.body)
    model = TRANSLATIONS.get(trigger) if uid else None
    if model is BookingNoShow and not _somebody_missed(payload):
        model = None
    common = {
        "provider": KIND,
        "object_id": uid or key,
        "occurred_at": body.find_time("createdAt") or now,
        "customer": _customer(payload),
    }
    event: Event = (
        OtherEvent(type=f"{KIND}.{trigger}", **common)
        if model is None
        else model(**common, **_facts(model, payload))
    )
    return Translation(key, event, find_token(payload.find_text("metadata", "token")))


def _facts(model: type[BookingEvent], payload: Document) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "title": payload.find_text("title"),
        "starts_at": payload.find_time("startTime"),
        "ends_at": payload.find_time("endTime"),
    }
    if model is BookingRescheduled:
        # A moved booking gets a new uid and names the one that it replaces.
        facts["previous_object_id"] = payload.find_text("rescheduleUid")
        facts["reason"] = payload.find_text("responses", "rescheduleReason", "value")
    elif model is BookingCanceled:
        facts["reason"] = payload.find_text("cancellationReason")
    elif model is BookingRejected:
        facts["reason"] = payload.find_text("rejectionReason")
    return facts


def _somebody_missed(payload: Document) -> bool:
    # The same trigger also takes a mark back (`noShow: false`).
    return any(attendee.find("noShow") is True for attendee in payload.find_objects("attendees"))


def _customer(payload: Document) -> Customer:
    attendees = payload.find_objects("attendees")
    booker = attendees[0] if attendees else Document({})
    return Customer(
        name=booker.find_text("name"),
        email=booker.find_text("email"),
        phone=booker.find_text("phoneNumber"),
        locale=booker.find_text("language", "locale"),
        timezone=booker.find_text("timeZone"),
    )


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Cal.com sends with *body*; the time is not part of them."""
    return [("Content-Type", "application/json"), *SIGNATURE.sign(body, secret, at)]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # Retries are not documented. The signature holds for ever, so the memory is what stops a replay: a month.
    remember_for=timedelta(days=31),
    documentation="https://cal.com/docs/developing/guides/automation/webhooks",
    sign=sign,
    examples=examples.EXAMPLES,
)
