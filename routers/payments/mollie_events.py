"""Mollie's next-generation webhooks: signed events of payment links and the like."""

from datetime import datetime, timedelta
from typing import Any, Final

from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import Event, OtherEvent
from routers.payments.currency import minor_units
from routers.payments.events import PaymentSucceeded
from routers.payments.examples import mollie_events as examples
from routers.provider import Provider, Translation, idempotency_key
from routers.verification import HmacScheme, Prefixed

KIND: Final = "mollie-events"
DOCUMENTATION: Final = "https://docs.mollie.com/reference/webhooks-new"

# https://docs.mollie.com/reference/webhooks-best-practices: no time is signed, the idempotency key stops a
# replay. The official library takes an empty signature for a classic call; here it is refused.
SIGNATURE: Final = HmacScheme(header="X-Mollie-Signature", form=Prefixed("sha256="))

PAID: Final = frozenset({"payment-link.paid", "sales-invoice.paid"})


def translate(call: Call, now: datetime) -> Translation:
    """
    An event in our words; its id is the idempotency key.

    With the simple payload there is no amount, and the event keeps Mollie's type.
    """
    body = Document.from_json(call.content)
    event_id, own_type = body.text("id"), body.text("type")
    entity = body.find_object("_embedded", "entity")
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": body.find_text("entityId") or entity.find_text("id") or event_id,
        "occurred_at": body.find_time("createdAt") or now,
        "test_mode": entity.find_text("mode") == "test",
    }
    money = _money(entity) if own_type in PAID else None
    event: Event = (
        OtherEvent(type=f"{KIND}.{own_type}", **common)
        if money is None
        else PaymentSucceeded(**common, amount_minor=money[0], currency=money[1])
    )
    token = find_token(
        entity.find_text("metadata", "token"),
        entity.find_text("metadata"),
        entity.find_text("description"),
    )
    return Translation(idempotency_key(event_id), event, token)


def _money(entity: Document) -> tuple[int, str] | None:
    name = "amount" if entity.find("amount") is not None else "totalAmount"
    if entity.find(name) is None:
        return None
    currency = entity.currency(name, "currency")
    literal = entity.find_text(name, "value")
    if literal is None:
        raise Unreadable(name)
    return minor_units(literal, currency), currency


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Mollie sends with *body*; the time is not part of them."""
    return [("Content-Type", "application/json"), *SIGNATURE.sign(body, secret, at)]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # As the classic ones: 26 hours. The signature holds for ever, so a month.
    remember_for=timedelta(days=31),
    documentation=DOCUMENTATION,
    sign=sign,
    examples=examples.EXAMPLES,
)
