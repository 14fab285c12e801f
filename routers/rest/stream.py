"""``/v1/stream``: what happens, as it happens (server-sent events)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from routers.dependencies import api_of, edge_of
from routers.problems import Problem, Rejected
from routers.rest.address import LARGEST_ID, bot_for
from routers.rest.caller import Caller, ReadsEvents
from routers.rest.conversations import StateName
from routers.rest.described import NO_SUCH_BOT
from routers.rest.present import place
from state.feed import Happening, Moment
from state.onlookers import Onlooker

#: Not a `LimitedRoute`: it takes no body, and such a route never learns that the caller has gone.
router = APIRouter(tags=["events"])

#: A stream that has ended, because its process stops, is asked for again after so long.
RETRY_MS: Final = 2000
_LOOK_UP: Final = timedelta(seconds=1)
_PLACE: Final = Problem(
    "unreadable-last-event-id",
    422,
    "Last-Event-ID is none of this stream",
    "Send the id of the last event that came, or none.",
)


class Kind(Enum):
    """What a happening is."""

    TRANSITION = "transition"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Watching:
    """What the caller wants to see, what of it is over already, and what is to come."""

    caller: Caller
    onlooker: Onlooker
    past: Sequence[Happening]
    bot_id: int | None
    kind: Kind | None
    user: int | None
    to: str | None

    def wants(self, happening: Happening) -> bool:
        """Tell whether the caller wants to see *happening*, and may."""
        conversation, transition = happening.conversation, happening.transition
        return (
            self.caller.sees(conversation.bot_id)
            and self.bot_id in (None, conversation.bot_id)
            and self.user in (None, conversation.user_id)
            and self.kind in (None, _kind(happening))
            and (self.to is None or (transition is not None and transition.to_state == self.to))
        )


async def _watching(
    request: Request,
    caller: ReadsEvents,
    *,
    bot: Annotated[str | None, Query(max_length=64, description="Only of this bot")] = None,
    kind: Annotated[Kind | None, Query(description="Only these")] = None,
    user: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only of this user")] = None,
    to: Annotated[StateName | None, Query(description="Only transitions to this state")] = None,
    last_event_id: Annotated[
        str | None, Header(max_length=64, description="Go on after this event; browsers send it")
    ] = None,
) -> AsyncIterator[Watching]:
    api = api_of(request)
    bot_id = bot_for(api, bot, caller) if bot is not None else None
    moment = _moment(last_event_id) if last_event_id else None
    async with api.onlookers.joined() as onlooker:
        past = await api.onlookers.feed.since(moment) if moment is not None else ()
        yield Watching(caller, onlooker, past, bot_id, kind, user, to)


@router.get(
    "/stream",
    operation_id="stream",
    summary="Watch transitions and deliveries",
    response_class=EventSourceResponse,
    responses=NO_SUCH_BOT,
)
async def stream(
    request: Request, watching: Annotated[Watching, Depends(_watching)]
) -> AsyncIterator[ServerSentEvent]:
    """
    Tell each change of state (`transition`) and what Telegram was brought to show (`delivery`).

    With `Last-Event-ID` it begins with what has happened since, as far back as the feed is kept; events of
    the same millisecond may come twice. A caller that reads too slowly is sent away and can come back where
    it was.
    """
    yield ServerSentEvent(comment="watching", retry=RETRY_MS)
    edge, told = edge_of(request), set[Moment]()
    for happening in watching.past:
        told.add(happening.moment)
        if watching.wants(happening):
            yield _event(happening)
    while not (edge.draining or edge.leaving):
        try:
            now = await watching.onlooker.next(_LOOK_UP)
        except EOFError:
            return
        if now is not None and now.moment not in told and watching.wants(now):
            yield _event(now)


def _moment(text: str) -> Moment:
    try:
        return Moment.parse(text)
    except ValueError:
        raise Rejected(_PLACE) from None


def _kind(happening: Happening) -> Kind:
    return Kind.TRANSITION if happening.transition is not None else Kind.DELIVERY


def _event(happening: Happening) -> ServerSentEvent:
    at = datetime.fromtimestamp(happening.moment.at_ms / 1000, UTC).isoformat()
    data: dict[str, Any] = {"at": at, **place(happening.conversation)}
    if (transition := happening.transition) is not None:
        data |= {
            "from": transition.from_state,
            "to": transition.to_state,
            "revision": transition.revision,
            "source": transition.source or None,
            "type": transition.type or None,
            "event_id": transition.event_id,
            "drafts": transition.drafts,
        }
    elif (delivered := happening.delivered) is not None:
        data |= {
            "did": delivered.deed,
            "outcome": delivered.outcome,
            "cause": delivered.cause,
            "verb": delivered.verb,
            "messages": list(delivered.messages),
        }
    return ServerSentEvent(event=_kind(happening).value, id=str(happening.moment), data=data)
