"""`POST /telegram/{bot_id}`: Telegram's updates, one at a time."""

from datetime import timedelta
from typing import Final

import orjson
import structlog
from starlette.responses import Response

from routers.body import Incoming
from routers.dependencies import call_of, edge_of
from routers.problems import NOT_AN_UPDATE, UNAUTHORIZED, Rejected, not_now, too_many_calls
from routers.provider import Translation
from routers.refusal import RefusalReason, Refused, as_logged
from routers.standing_answer import StandingAnswer
from routers.telegram import payments
from routers.telegram.addressing import NotAnUpdate, address
from routers.telegram.verify import verify
from state.envelope import Envelope
from state.errors import StoreUnavailable

log: Final = structlog.get_logger("routers.telegram")

REMEMBER_FOR: Final = timedelta(hours=26)
"""Telegram repeats an update for at most 24 h (tdlib/telegram-bot-api, Client.cpp); two more, for clocks."""

_STORED: Final = StandingAnswer(status_code=200)


async def receive(request: Incoming) -> Response:
    """
    Store one update. The secret is looked at before the body is read.

    200 means that the update is in the inbox, whether for the first time or as a repeat.
    """
    edge = edge_of(request)
    now = edge.clock()
    name: str = request.path_params["bot_id"]
    endpoint = edge.telegram_by_name.get(name)
    try:
        if endpoint is None:
            raise Refused(RefusalReason.UNKNOWN_SOURCE)
        verify(call_of(request, b""), endpoint.secrets, now)
    except Refused as refused:
        edge.count_refusal(endpoint.source if endpoint else "unknown", refused.reason.value)
        log.warning(
            "refused",
            source=f"telegram:{as_logged(name)}",
            reason=refused.reason.value,
            detail=refused.detail,
        )
        return UNAUTHORIZED.response()
    try:
        body = await request.read(endpoint.body_limit_bytes)
        update = orjson.loads(body)
        addressed = address(update, endpoint.bot_id, endpoint.strategy)
    except Rejected as rejected:
        edge.count_refusal(endpoint.source, rejected.problem.slug)
        return rejected.problem.response()
    except (orjson.JSONDecodeError, NotAnUpdate):
        edge.count_refusal(endpoint.source, NOT_AN_UPDATE.slug)
        log.warning("not_an_update", source=endpoint.source)
        return NOT_AN_UPDATE.response()
    envelope = Envelope(
        source=endpoint.source,
        type=addressed.type,
        idempotency_key=addressed.idempotency_key,
        received_at_ms=int(now.timestamp() * 1000),
        body=body,
        conversation=addressed.conversation,
    )
    if endpoint.allowance is not None and (wait := endpoint.allowance.take()):
        problem = too_many_calls(wait)
        edge.count_refusal(endpoint.source, problem.slug)
        return problem.response()
    try:
        for told in payments.payment_events(update, now):
            # First, so that the repeat after a failure in between finds it and stores the update as well.
            await edge.inbox.accept(
                _payment(told, envelope, endpoint.bot_id), remember_for=payments.REMEMBER_FOR
            )
        await edge.inbox.accept(envelope, remember_for=REMEMBER_FOR, urgent=addressed.urgent)
    except StoreUnavailable as error:
        return not_now(error).response()
    return _STORED


def _payment(told: Translation, update: Envelope, bot_id: int) -> Envelope:
    """What *update* tells of money, as one more event: of whom the token names, or of who paid."""
    return update._replace(
        source=payments.source_of(bot_id),
        type=told.event.type,
        idempotency_key=told.idempotency_key,
        event=told.event.encode(),
        conversation=update.conversation if told.token is None else None,
        token=told.token,
    )
