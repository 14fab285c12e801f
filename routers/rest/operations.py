"""``/v1/dead-letters``, ``/v1/parked``, ``/v1/unresolved``."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from routers.dependencies import api_of
from routers.problems import Problem, Rejected
from routers.rest.answer import answer, nothing
from routers.rest.caller import ReadsOperations, WritesOperations
from routers.rest.described import Responses, leads_to, problem
from routers.rest.kept import (
    NOT_KEPT,
    NOT_KEPT_HERE,
    Cursor,
    KeptDetails,
    KeptId,
    KeptPage,
    Limit,
    Word,
    details,
    find,
    page,
)
from routers.rest.limited_route import LimitedRoute
from state.kept import Selection
from state.outcomes import Replayed

router = APIRouter(tags=["operations"], route_class=LimitedRoute)

HOMELESS: Final = Problem(
    "homeless", 409, "No handler can have it", "Its conversation is not known; register its token first."
)


def _first_is(*operations: str) -> Responses:
    """Return what links a page's first event to these operations."""
    links: dict[str, Any] = {}
    for operation in operations:
        links |= leads_to(operation, event="/events/0/id")
    return {200: {"links": links}}


@router.get(
    "/dead-letters",
    operation_id="list_dead_letters",
    summary="List dead letters",
    response_model=KeptPage,
    responses=_first_is("get_dead_letter", "replay_dead_letter", "discard_dead_letter"),
)
async def list_dead_letters(
    request: Request,
    caller: ReadsOperations,
    *,
    source: Word = None,
    type: Word = None,  # noqa: A002 - the parameter's name in the query
    reason: Word = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Events that were given up, the newest first; `reason` is how the reason begins."""
    selection = Selection(source, type, reason)
    letters = api_of(request).dead_letters
    return answer(await page(letters, caller, selection, limit=limit, cursor=cursor))


@router.get(
    "/dead-letters/{event}",
    operation_id="get_dead_letter",
    summary="Show a dead letter",
    response_model=KeptDetails,
    responses=NOT_KEPT_HERE,
)
async def get_dead_letter(request: Request, caller: ReadsOperations, event: KeptId) -> Response:
    """Show it with its reason, its handler's last traceback and its body."""
    letter = await find(api_of(request).dead_letters, caller, event)
    return answer(details(letter))


@router.post(
    "/dead-letters/{event}/replay",
    operation_id="replay_dead_letter",
    summary="Replay a dead letter",
    status_code=204,
    response_class=Response,
    responses={**NOT_KEPT_HERE, 409: problem("Its conversation is not known")},
)
async def replay_dead_letter(request: Request, caller: WritesOperations, event: KeptId) -> Response:
    """Put it back into the inbox, once; what its handler has sent already is not sent again."""
    letters = api_of(request).dead_letters
    letter = await find(letters, caller, event)
    match await letters.replay(letter.id):
        case Replayed.GONE:
            raise Rejected(NOT_KEPT)
        case Replayed.HOMELESS:
            raise Rejected(HOMELESS)
        case Replayed.REPLAYED:
            return nothing()


@router.delete(
    "/dead-letters/{event}",
    operation_id="discard_dead_letter",
    summary="Discard a dead letter",
    status_code=204,
    response_class=Response,
    responses=NOT_KEPT_HERE,
)
async def discard_dead_letter(request: Request, caller: WritesOperations, event: KeptId) -> Response:
    """Delete it for good."""
    letters = api_of(request).dead_letters
    return _done(await letters.discard((await find(letters, caller, event)).id))


@router.get(
    "/parked",
    operation_id="list_parked",
    summary="List parked events",
    response_model=KeptPage,
    responses=_first_is("get_parked", "replay_parked", "discard_parked"),
)
async def list_parked(
    request: Request,
    caller: ReadsOperations,
    *,
    source: Word = None,
    type: Word = None,  # noqa: A002 - the parameter's name in the query
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Events that came before their conversation was ready for them, the newest first."""
    parked = api_of(request).parked
    return answer(await page(parked, caller, Selection(source, type), limit=limit, cursor=cursor))


@router.get(
    "/parked/{event}",
    operation_id="get_parked",
    summary="Show a parked event",
    response_model=KeptDetails,
    responses=NOT_KEPT_HERE,
)
async def get_parked(request: Request, caller: ReadsOperations, event: KeptId) -> Response:
    """Show it with the time until which it waits, and its body."""
    parked = await find(api_of(request).parked, caller, event)
    return answer(details(parked))


@router.post(
    "/parked/{event}/replay",
    operation_id="replay_parked",
    summary="Look at a parked event again",
    status_code=204,
    response_class=Response,
    responses=NOT_KEPT_HERE,
)
async def replay_parked(request: Request, caller: WritesOperations, event: KeptId) -> Response:
    """Run it as if the state had changed; if that still does not fit, it is parked again."""
    parked = api_of(request).parked
    return _done(await parked.replay((await find(parked, caller, event)).id))


@router.delete(
    "/parked/{event}",
    operation_id="discard_parked",
    summary="Discard a parked event",
    status_code=204,
    response_class=Response,
    responses=NOT_KEPT_HERE,
)
async def discard_parked(request: Request, caller: WritesOperations, event: KeptId) -> Response:
    """Make a dead letter of it."""
    parked = api_of(request).parked
    return _done(await parked.discard((await find(parked, caller, event)).id))


@router.get(
    "/unresolved",
    operation_id="list_unresolved",
    summary="List unresolved events",
    response_model=KeptPage,
    responses=_first_is("get_unresolved", "discard_unresolved"),
)
async def list_unresolved(
    request: Request,
    caller: ReadsOperations,
    *,
    source: Word = None,
    type: Word = None,  # noqa: A002 - the parameter's name in the query
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Events whose conversation is not known yet, the newest first; none for a key of certain bots."""
    unresolved = api_of(request).unresolved
    return answer(await page(unresolved, caller, Selection(source, type), limit=limit, cursor=cursor))


@router.get(
    "/unresolved/{event}",
    operation_id="get_unresolved",
    summary="Show an unresolved event",
    response_model=KeptDetails,
    responses=NOT_KEPT_HERE,
)
async def get_unresolved(request: Request, caller: ReadsOperations, event: KeptId) -> Response:
    """Show it with its body."""
    return answer(details(await find(api_of(request).unresolved, caller, event)))


@router.delete(
    "/unresolved/{event}",
    operation_id="discard_unresolved",
    summary="Discard an unresolved event",
    status_code=204,
    response_class=Response,
    responses=NOT_KEPT_HERE,
)
async def discard_unresolved(request: Request, caller: WritesOperations, event: KeptId) -> Response:
    """Make a dead letter of it."""
    unresolved = api_of(request).unresolved
    return _done(await unresolved.discard((await find(unresolved, caller, event)).id))


def _done(done: bool) -> Response:
    if not done:
        raise Rejected(NOT_KEPT)
    return nothing()
