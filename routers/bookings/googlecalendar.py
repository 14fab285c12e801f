"""Google Calendar push notifications: something in a watched calendar has changed."""

from datetime import datetime, timedelta
from typing import Final

from routers.bookings.examples import googlecalendar as examples
from routers.call import Call
from routers.document import Unreadable, find_token
from routers.event import OtherEvent
from routers.provider import Proof, Provider, Translation, idempotency_key
from routers.refusal import Refused
from routers.verification import SharedToken, in_header

KIND: Final = "googlecalendar"
DOCUMENTATION: Final = "https://developers.google.com/workspace/calendar/api/guides/push"

# https://developers.google.com/workspace/calendar/api/guides/push: the token given when the channel was made.
TOKEN: Final = SharedToken(in_header("X-Goog-Channel-Token"))


def translate(call: Call, now: datetime) -> Translation:
    """
    A notification under Google's own word: `sync`, `exists` or `not_exists`.

    It has no body: what has changed must be listed with a sync token. Channel and number of the message are
    the idempotency key; the channel's id, which is ours to choose, carries the expectation's token.
    """
    try:
        channel, number = call.header("X-Goog-Channel-ID"), call.header("X-Goog-Message-Number")
        state, resource = call.header("X-Goog-Resource-State"), call.header("X-Goog-Resource-ID")
    except Refused as error:
        raise Unreadable(error.detail) from error
    if not (channel and number and state and resource):
        raise Unreadable("an empty header")
    event = OtherEvent(type=f"{KIND}.{state}", provider=KIND, object_id=resource, occurred_at=now)
    return Translation(idempotency_key(channel, number), event, find_token(channel))


PROVIDER: Final = Provider(
    kind=KIND,
    verify=TOKEN.verify,
    translate=translate,
    # Numbers of messages only grow within a channel, and a channel lives for a month at most.
    remember_for=timedelta(days=31),
    documentation=DOCUMENTATION,
    proof=Proof.TOKEN,
    rewrite=examples.rewrite,
    examples=examples.EXAMPLES,
)
