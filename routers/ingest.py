"""From a webhook's bytes to an accepted event: verify, translate, store, answer."""

from datetime import datetime
from typing import Final

import structlog

from routers.call import Call
from routers.dependencies import Edge, WebhookEndpoint
from routers.document import Unreadable
from routers.provider import Answer, Received, Translation, unreadable
from state.envelope import Envelope

log: Final = structlog.get_logger("routers.ingest")


async def ingest(call: Call, endpoint: WebhookEndpoint, edge: Edge) -> Answer:
    """
    Put one webhook call in the inbox and say what its sender wants to hear.

    The answer is the same for a first call, its repeat and one whose conversation is not known yet: a
    provider must never learn to give up on us.

    Raises:
        Refused: the call is not proven genuine; nothing was stored.
        StoreUnavailable: Redis did not take it; nothing was stored.
    """
    now = edge.clock()
    provider = endpoint.provider
    provider.verify(call, endpoint.secrets, now)
    translation = _translate(call, endpoint, now)
    envelope = Envelope(
        source=endpoint.name,
        type=translation.event.type,
        idempotency_key=translation.idempotency_key,
        received_at_ms=int(now.timestamp() * 1000),
        body=call.body,
        event=translation.event.encode(),
        token=translation.token,
    )
    disposition = await edge.inbox.accept(envelope, remember_for=provider.remember_for)
    log.info("received", source=endpoint.name, type=envelope.type, disposition=disposition.name.lower())
    return provider.answer(Received(call, translation, endpoint.secrets, now))


def _translate(call: Call, endpoint: WebhookEndpoint, now: datetime) -> Translation:
    kind = endpoint.provider.kind
    try:
        return endpoint.provider.translate(call, now)
    except Unreadable as error:
        log.warning("unreadable", source=endpoint.name, where=error.where)
    except Exception:
        # A fault in one translator must not lose an authentic call.
        log.exception("translator_failed", source=endpoint.name)
    return unreadable(kind, call, now)
