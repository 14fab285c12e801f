"""``/v1/events``: an event of a service, and what became of it."""

import asyncio
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Request
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from routers.dependencies import api_of, edge_of
from routers.events.cloudevents import is_structured, read_binary, read_structured
from routers.events.message import Malformed, Message, read_message
from routers.exact_json import parse_exact
from routers.problems import Problem, Rejected
from routers.rest.answer import answer
from routers.rest.api import Api
from routers.rest.caller import ReadsEvents, WritesEvents
from routers.rest.described import leads_to, problem
from routers.rest.event_bodies import EVENT_BODY
from routers.rest.limited_route import LimitedRoute
from routers.rest.present import Place, moment, place
from routers.rest.submission import Submission, invalid_event, with_key
from state.standings import Outcome, Standing

router = APIRouter(tags=["events"], route_class=LimitedRoute)

UNKNOWN_EVENT: Final = Problem("unknown-event", 404, "No such event is known, or not any more")
UNSUPPORTED: Final = Problem(
    "unsupported-media-type",
    415,
    "The body is of another kind",
    "Send application/json, application/cloudevents+json, or JSON with ce- headers.",
)
_WAIT: Final = re.compile(r"(?:^|[,;\s])wait=([0-9]{1,6})(?:$|[,;\s])")
#: A caller's patience ends there, whatever it asks for.
LONGEST_WAIT: Final = timedelta(seconds=30)
#: Between two looks at an event that somebody waits for: short at first, then longer.
_FIRST_LOOK_SECONDS: Final = 0.005
_LAST_LOOK_SECONDS: Final = 0.1


class AcceptedEvent(BaseModel):
    """The event is stored, and will be handled."""

    id: str = Field(examples=["2a-1795000000000-0"])


class EventChange(BaseModel):
    """What an event has changed."""

    before: str | None = Field(serialization_alias="from", description="The state before")
    to: str | None = Field(description="The state after")
    revision: int
    drafts: dict[str, list[str]] = Field(description="Fields written or removed; `*`: the draft was cleared")
    did: list[str] = Field(description="What the chat was owed for it")


class EventView(BaseModel):
    """How an event stands."""

    id: str = Field(examples=["2a-1795000000000-0"])
    standing: Standing
    accepted_at: AwareDatetime
    ended_at: AwareDatetime | None
    reason: str | None = Field(description="Why it was ignored or given up")
    conversation: Place | None = Field(description="null: nobody is known for it yet")
    change: EventChange | None


@router.post(
    "/events",
    operation_id="send_event",
    summary="Send an event",
    status_code=202,
    response_model=AcceptedEvent,
    responses={
        200: {"model": EventView, "description": "It has ended within the time of `Prefer: wait`"},
        202: {
            "description": "It is stored",
            "headers": {"Location": {"description": "Where to ask after it", "schema": {"type": "string"}}},
            "links": leads_to("get_event", event="/id"),
        },
        415: problem("The body is compressed, or neither JSON nor a CloudEvent"),
    },
    openapi_extra={"requestBody": EVENT_BODY},
)
async def send_event(
    request: Request,
    caller: WritesEvents,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[!-~]+$",
            description="Sent again with the same body: the same answer, and nothing happens twice",
        ),
    ] = None,
    prefer: Annotated[
        str | None,
        Header(max_length=200, description="`wait=5`: answer with the outcome if there is one within 5 s"),
    ] = None,
) -> Response:
    """
    Store one event: the envelope, or a CloudEvent in structured or binary mode.

    It is handled like a webhook's: once, in its order, by whichever feature has a handler of its type.
    """
    edge, api = edge_of(request), api_of(request)
    try:
        message = with_key(await _message(request), idempotency_key)
    except Malformed as malformed:
        raise Rejected(invalid_event(malformed)) from None
    event = await Submission.of(message, caller, api, edge.clock()).store(api.inbox, api)
    location = {"Location": f"/v1/events/{event}"}
    wait = _patience(prefer)
    if wait is not None:
        outcome = await _ended_within(api, event, min(wait, LONGEST_WAIT))
        if outcome is not None:
            applied = {"Preference-Applied": f"wait={int(wait.total_seconds())}"}
            return answer(view(event, outcome), headers=location | applied)
    return answer({"id": event}, 202, headers=location)


@router.get(
    "/events/{event}",
    operation_id="get_event",
    summary="Ask after an event",
    response_model=EventView,
    responses={404: problem("No such event is known, or not any more")},
)
async def get_event(
    request: Request,
    caller: ReadsEvents,
    event: Annotated[str, Path(max_length=64, description="Its id", examples=["2a-1795000000000-0"])],
) -> Response:
    """Tell how it stands; how it ended is known for a week."""
    outcome = await api_of(request).outcomes.of(event)
    if outcome is None:
        raise Rejected(UNKNOWN_EVENT)
    bot_id = outcome.conversation.bot_id if outcome.conversation is not None else None
    if not caller.sees(bot_id):
        raise Rejected(UNKNOWN_EVENT)
    return answer(view(event, outcome))


def view(event: str, outcome: Outcome) -> dict[str, Any]:
    """Return how an event stands in the form of `EventView`."""
    change = None
    if outcome.standing is Standing.APPLIED and outcome.revision is not None:
        change = {
            "from": outcome.from_state,
            "to": outcome.to_state,
            "revision": outcome.revision,
            "drafts": outcome.drafts,
            "did": outcome.did,
        }
    return {
        "id": event,
        "standing": outcome.standing.value,
        "accepted_at": moment(outcome.accepted_at_ms),
        "ended_at": moment(outcome.ended_at_ms) if outcome.ended_at_ms is not None else None,
        "reason": outcome.reason,
        "conversation": place(outcome.conversation) if outcome.conversation is not None else None,
        "change": change,
    }


async def _message(request: Request) -> Message:
    body = await request.body()
    binary = read_binary(request.scope["headers"], body)
    if binary is not None:
        return binary
    content_type = request.headers.get("content-type", "")
    if is_structured(content_type):
        return read_structured(_json(body))
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Rejected(UNSUPPORTED)
    return read_message(_json(body))


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        raw = parse_exact(body)
    except ValueError:
        raise Malformed.at("", "the body is not JSON") from None
    if not isinstance(raw, dict):
        raise Malformed.at("", "an event is one JSON object")
    return raw


def _patience(prefer: str | None) -> timedelta | None:
    """Return for how long the caller wants to wait (RFC 7240)."""
    match = _WAIT.search(prefer) if prefer is not None else None
    return timedelta(seconds=int(match[1])) if match else None


async def _ended_within(api: Api, event: str, wait: timedelta) -> Outcome | None:
    give_up_at = time.monotonic() + wait.total_seconds()
    pause = _FIRST_LOOK_SECONDS
    while True:
        outcome = await api.outcomes.of(event)
        if outcome is not None and outcome.final:
            return outcome
        if time.monotonic() + pause > give_up_at:
            return None
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LAST_LOOK_SECONDS)
