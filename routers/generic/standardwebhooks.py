"""Standard Webhooks: one adapter for every sender that follows the standard, Svix among them."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import OtherEvent
from routers.generic.examples import standardwebhooks as examples
from routers.provider import Provider, Translation, idempotency_key
from routers.refusal import Refused
from routers.verification.standard_webhooks import StandardWebhooks, header_family

KIND: Final = "standardwebhooks"
SIGNATURE: Final = StandardWebhooks()


def translate(call: Call, now: datetime) -> Translation:
    """
    A call as `standardwebhooks.<its type>`; its signed id is the idempotency key.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure:
    type, timestamp and data, the last of which may name the object by its id.
    """
    body = Document.from_json(call.body)
    try:
        event_id = call.header(f"{header_family(call)}-id")
    except Refused as error:
        raise Unreadable("webhook-id") from error
    if not event_id:
        raise Unreadable("webhook-id")
    event = OtherEvent(
        type=f"{KIND}.{body.text('type')}",
        provider=KIND,
        object_id=body.find_text("data", "id") or event_id,
        occurred_at=body.find_time("timestamp") or now,
    )
    token = find_token(
        body.find_text("data", "token"),
        body.find_text("data", "metadata", "token"),
        body.find_text("metadata", "token"),
    )
    return Translation(idempotency_key(event_id), event, token)


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """
    The headers that a sender with *secret* sends with *body*.

    Raises:
        ValueError: *secret* is not of the form ``whsec_<base64>``.
    """
    event_id = f"msg_{hashlib.sha256(body).hexdigest()[:24]}"
    return [("Content-Type", "application/json"), *SIGNATURE.sign(body, secret, at, event_id=event_id)]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # The standard's example schedule lasts for some 76 hours; by hand later.
    remember_for=timedelta(days=31),
    documentation="https://www.standardwebhooks.com",
    sign=sign,
    examples=examples.EXAMPLES,
)
