"""GitHub, and whoever signs as GitHub does (Gitea and Forgejo among them)."""

from datetime import datetime, timedelta
from typing import Final

from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import OtherEvent
from routers.generic.examples import github as examples
from routers.provider import Provider, Translation, digest_key
from routers.refusal import Refused
from routers.verification import HmacScheme, Prefixed

KIND: Final = "github"

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
SIGNATURE: Final = HmacScheme(header="X-Hub-Signature-256", form=Prefixed("sha256="))


def translate(call: Call, now: datetime) -> Translation:
    """
    A delivery as `github.<event>` or `github.<event>.<action>`.

    The headers that name the event and the delivery are not signed, so the digest of the body is the
    idempotency key: nobody can replay a body under another name. A token travels in a dispatch's payload.
    """
    body = Document.from_json(call.body)
    try:
        name = call.header("X-GitHub-Event")
    except Refused as error:
        raise Unreadable("X-GitHub-Event") from error
    action = body.find_text("action")
    key = digest_key(call.body)
    event = OtherEvent(
        type=f"{KIND}.{name}.{action}" if action else f"{KIND}.{name}",
        provider=KIND,
        object_id=body.find_text("repository", "full_name") or key,
        occurred_at=now,
    )
    # https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository_dispatch, #workflow_dispatch
    token = find_token(body.find_text("client_payload", "token"), body.find_text("inputs", "token"))
    return Translation(key, event, token)


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that GitHub sends with *body*; the time is not part of them."""
    return [
        ("Content-Type", "application/json"),
        ("X-GitHub-Event", examples.name_of(body)),
        ("X-GitHub-Delivery", examples.delivery_of(body)),
        *SIGNATURE.sign(body, secret, at),
    ]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries: one attempt, by
    # hand within three days. The signature holds for ever, so a month.
    remember_for=timedelta(days=31),
    documentation="https://docs.github.com/en/webhooks",
    sign=sign,
    examples=examples.EXAMPLES,
)
