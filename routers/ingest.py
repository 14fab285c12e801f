"""From a webhook's bytes to an accepted event: verify, translate, store, answer."""

from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from routers.call import Call
from routers.credentials import ask_with_any
from routers.dependencies import Edge, WebhookEndpoint
from routers.document import Unreadable
from routers.event import Carried, OtherEvent
from routers.payments.events import PaymentCheck
from routers.problems import Rejected, too_many_calls
from routers.provider import Answer, Received, Translation, unreadable
from routers.question import Question
from routers.refusal import RefusalReason, Refused
from state.envelope import Envelope

log: Final = structlog.get_logger("routers.ingest")

#: The signature does not fit the provider's key that we keep, or that key is not valid any more.
_ANOTHER_KEY_MAY_FIT: Final = frozenset({RefusalReason.SIGNATURE_WRONG, RefusalReason.KEY_UNUSABLE})


async def ingest(call: Call, endpoint: WebhookEndpoint, edge: Edge) -> Answer:
    """
    Put one webhook call in the inbox and say what its sender wants to hear.

    The answer is the same for a first call, its repeat and one whose conversation is not known yet: a
    provider must never learn to give up on us. A question before the payment is decided and not stored.

    Raises:
        Refused: the call is not proven genuine; nothing was stored.
        ApiUnavailable: the provider's API had to be asked and did not answer; nothing was stored.
        Rejected: the source is over its rate; nothing was stored.
        StoreUnavailable: Redis did not take it; nothing was stored.
    """
    now = edge.clock()
    provider = endpoint.provider
    call = await _proven(call, endpoint, edge, now)
    # Not before: whoever cannot sign must not use up what the source may send.
    if endpoint.allowance is not None and (wait := endpoint.allowance.take()):
        raise Rejected(too_many_calls(wait))
    translation = _translate(call, endpoint, now)
    if provider.decided is not None and isinstance(translation.event, PaymentCheck):
        decision = await edge.decider.decide(translation.event, translation.token)
        return provider.decided(Received(call, translation, endpoint.secrets, now), decision)
    translation = await _with_token(translation, endpoint.name, edge)
    envelope = envelope_of(call, translation, endpoint.name, now)
    disposition = await edge.inbox.accept(envelope, remember_for=provider.remember_for)
    edge.lines.info("received", source=endpoint.name, type=envelope.type, disposition=disposition.word)
    return provider.answer(Received(call, translation, endpoint.secrets, now))


async def _with_token(translation: Translation, source: str, edge: Edge) -> Translation:
    """
    The translation with the token that its payment or booking came with before.

    A chargeback or a refund often names the payment only. What has no word of ours is left alone: what it is
    about can be anybody's, a repository say.
    """
    event = translation.event
    if edge.objects is None or isinstance(event, OtherEvent):
        return translation
    if translation.token is not None:
        await edge.objects.remember(source, event.object_id, translation.token)
        return translation
    token = await edge.objects.token_of(source, event.object_id)
    return translation if token is None else replace(translation, token=token)


def envelope_of(call: Call, translation: Translation, source: str, now: datetime) -> Envelope:
    """What is stored of a call of *source*."""
    return Envelope(
        source=source,
        type=translation.event.type,
        idempotency_key=translation.idempotency_key,
        received_at_ms=int(now.timestamp() * 1000),
        body=call.content,
        event=Carried.of(translation.event),
        token=translation.token,
    )


async def _proven(call: Call, endpoint: WebhookEndpoint, edge: Edge, now: datetime) -> Call:
    """The call once it is proven genuine, with what the provider's API had to be asked for."""
    provider, secrets = endpoint.provider, endpoint.secrets
    if call.method not in provider.methods:
        raise Refused(RefusalReason.METHOD_NOT_TAKEN, call.method)
    key = None
    if provider.evidence is not None:
        key, call = await _with_evidence(call, endpoint, edge, now)
    try:
        provider.verify(call, secrets, now)
    except Refused as refused:
        if key is None or refused.reason not in _ANOTHER_KEY_MAY_FIT:
            raise
        # The provider may have changed its key since we asked for it.
        _, call = await _with_evidence(call, endpoint, edge, now, refresh=True)
        provider.verify(call, secrets, now)
    lookup = provider.lookup
    if lookup is None:
        return call
    question, fact = await ask_with_any(lambda order: lookup(call, order, now), secrets, edge.asker)
    return call if question is None else replace(call, fetched=_confirmed(fact))


async def _with_evidence(
    call: Call, endpoint: WebhookEndpoint, edge: Edge, now: datetime, *, refresh: bool = False
) -> tuple[Question | None, Call]:
    evidence = endpoint.provider.evidence
    if evidence is None:
        return None, call
    question, fact = await ask_with_any(
        lambda order: evidence(call, order, now), endpoint.secrets, edge.asker, refresh=refresh
    )
    return question, call if question is None else replace(call, evidence=_confirmed(fact))


def _confirmed(answer: bytes | None) -> bytes:
    if answer is None:
        raise Refused(RefusalReason.NOT_CONFIRMED, "the provider's API does not know of it")
    return answer


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
