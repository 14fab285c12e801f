"""Dead letters, parked and unresolved events: listed, shown, replayed, discarded."""

import re
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from routers.problems import Problem, Rejected
from routers.rest.answer import CURSOR
from routers.rest.caller import Caller
from routers.rest.described import Responses, problem
from routers.rest.present import Place, moment, place
from state.dead_letters import DeadLetter
from state.kept import Kept, KeptEvent, KeptEvents, Selection
from state.waiting_events import ParkedEvent

NOT_KEPT: Final = Problem("unknown-event", 404, "No such event is kept here, or not any more")
NOT_KEPT_HERE: Final[Responses] = {404: problem("No such event is kept here, or not any more")}
_ID: Final = re.compile(r"([0-9a-f]{2})-([0-9]{1,15}-[0-9]{1,15})")

KeptId = Annotated[
    str, Path(max_length=64, description="As the list gives it", examples=["2a-1795000000000-0"])
]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=64, description="Of the page before")]
Word = Annotated[str | None, Query(max_length=200)]


class KeptView(BaseModel):
    """One event that is kept and not worked on."""

    id: str = Field(examples=["2a-1795000000000-0"])
    source: str
    type: str
    idempotency_key: str
    conversation: Place | None
    accepted_at: AwareDatetime
    kept_since: AwareDatetime
    until: AwareDatetime | None = Field(description="Parked: then it becomes a dead letter")
    reason: str | None = Field(description="Dead: why")


class KeptDetails(KeptView):
    """One event with all that is known of it."""

    detail: str | None = Field(description="Dead: the last traceback, or a sentence")
    attempts: int | None = Field(description="Dead: runs of its handler that were begun")
    calls: list[str] | None = Field(description="Dead: calls of the Bot API that its handler has made")
    body: str = Field(description="As it came")


class KeptPage(BaseModel):
    """Some events, the newest first, and where the next page begins; null: this was the last one."""

    events: list[KeptView]
    cursor: str | None


async def page(
    kept: KeptEvents[Kept], caller: Caller, selection: Selection, *, limit: int, cursor: str | None
) -> dict[str, Any]:
    """
    Return one page of the events that the caller may know.

    Raises:
        Rejected: *cursor* is none of a page before.
        StoreUnavailable: Redis did not answer.
    """
    found: list[dict[str, Any]] = []
    try:
        after = _stored_id(cursor) if cursor is not None else None
        async with aclosing(kept.scan(selection, after=after, newest_first=True)) as events:
            async for event in events:
                if not sees(caller, event):
                    continue
                if len(found) == limit:
                    return {"events": found, "cursor": found[-1]["id"]}
                found.append(view(event))
    except ValueError:
        raise Rejected(CURSOR) from None
    return {"events": found, "cursor": None}


async def find(kept: KeptEvents[Kept], caller: Caller, event_id: str) -> Kept:
    """
    Return one event that the caller may know.

    Raises:
        Rejected: it is not kept here, or not for this caller.
        StoreUnavailable: Redis did not answer.
    """
    try:
        event = await kept.get(_stored_id(event_id))
    except ValueError:
        event = None
    if event is None or not sees(caller, event):
        raise Rejected(NOT_KEPT)
    return event


def sees(caller: Caller, event: KeptEvent) -> bool:
    """Tell whether *caller* may know of *event*."""
    return caller.sees(event.conversation.bot_id if event.conversation is not None else None)


def view(event: KeptEvent) -> dict[str, Any]:
    """Return *event* in the form of `KeptView`."""
    envelope = event.envelope
    return {
        "id": event.id.replace(":", "-", 1),
        "source": envelope.source,
        "type": envelope.type,
        "idempotency_key": envelope.idempotency_key,
        "conversation": place(event.conversation) if event.conversation is not None else None,
        "accepted_at": moment(envelope.received_at_ms),
        "kept_since": moment(event.kept_since_ms),
        "until": moment(event.until_ms) if isinstance(event, ParkedEvent) else None,
        "reason": event.reason if isinstance(event, DeadLetter) else None,
    }


def details(event: KeptEvent) -> dict[str, Any]:
    """Return *event* in the form of `KeptDetails`."""
    letter = event if isinstance(event, DeadLetter) else None
    return {
        **view(event),
        "detail": letter.detail if letter is not None else None,
        "attempts": letter.attempts if letter is not None else None,
        "calls": list(letter.calls) if letter is not None else None,
        "body": event.envelope.body.decode("utf-8", "replace"),
    }


def _stored_id(event_id: str) -> str:
    """
    Return the id by which the store names the event.

    Raises:
        ValueError: it is no id.
    """
    match = _ID.fullmatch(event_id)
    if match is None:
        raise ValueError(event_id)
    return f"{match[1]}:{match[2]}"
