"""`/webhooks/{source}`: payments, bookings and whatever else is configured as a source."""

from typing import Final

import structlog
from starlette.responses import Response

from routers.asker import ApiUnavailable
from routers.body import Incoming
from routers.dependencies import DEFAULT_BODY_LIMIT_BYTES, call_of, check_headers, edge_of
from routers.ingest import ingest
from routers.problems import API_UNAVAILABLE, UNAUTHORIZED, Rejected, not_now
from routers.provider import RECEIVED
from routers.refusal import RefusalReason, Refused, as_logged
from routers.standing_answer import StandingAnswer
from state.errors import StoreUnavailable

log: Final = structlog.get_logger("routers.webhooks")

_RECEIVED: Final = StandingAnswer(RECEIVED.body, RECEIVED.status, media_type=RECEIVED.content_type)


async def receive(request: Incoming) -> Response:
    """
    Store one call of a provider and answer in its words.

    The body is read first, for an unknown source too: from outside the two cannot be told apart.
    """
    edge = edge_of(request)
    name: str = request.path_params["source"]
    endpoint = edge.webhooks.get(name)
    try:
        check_headers(request)
        body = await request.read(endpoint.body_limit_bytes if endpoint else DEFAULT_BODY_LIMIT_BYTES)
        if endpoint is None:
            raise Refused(RefusalReason.UNKNOWN_SOURCE)
        call = call_of(
            request,
            body,
            public_url=endpoint.public_url,
            path_secret=request.path_params.get("secret", ""),
            trusted_proxies=edge.trusted_proxies,
        )
        answer = await ingest(call, endpoint, edge)
    except Rejected as rejected:
        edge.count_refusal(endpoint.name if endpoint else "unknown", rejected.problem.slug)
        return rejected.problem.response()
    except Refused as refused:
        edge.count_refusal(endpoint.name if endpoint else "unknown", refused.reason.value)
        log.warning("refused", source=as_logged(name), reason=refused.reason.value, detail=refused.detail)
        return UNAUTHORIZED.response()
    except ApiUnavailable as error:
        log.warning("provider_unavailable", source=as_logged(name), host=error.host, why=error.why)
        return API_UNAVAILABLE.response()
    except StoreUnavailable as error:
        return not_now(error).response()
    if answer is RECEIVED:
        return _RECEIVED
    return Response(answer.body, answer.status, media_type=answer.content_type)
