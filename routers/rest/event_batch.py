"""``/v1/events:batch``: up to a thousand events in one call, each with its own result."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, JsonValue
from starlette.responses import Response

from routers.dependencies import api_of, edge_of
from routers.events.cloudevents import read_structured
from routers.events.message import Malformed, Message, read_message
from routers.exact_json import parse_exact
from routers.problems import BODY_TOO_LARGE, Problem, Rejected, not_now
from routers.rest.answer import answer
from routers.rest.api import Api
from routers.rest.caller import Caller, WritesEvents
from routers.rest.event_bodies import BATCH_BODY
from routers.rest.limited_route import BatchRoute
from routers.rest.submission import Submission, invalid_event
from state.conversation import Conversation
from state.errors import StoreUnavailable

router = APIRouter(tags=["events"], route_class=BatchRoute)

LARGEST_BATCH: Final = 1000


class BatchResult(BaseModel):
    """What became of one line: 202 with the event's id, or the problem."""

    line: int = Field(examples=[1])
    status: int = Field(examples=[202])
    id: str | None = Field(default=None, examples=["2a-1795000000000-0"])
    problem: dict[str, JsonValue] | None = None


class BatchResults(BaseModel):
    """One result for each line, in their order."""

    results: list[BatchResult]


class _Line:
    """One line on its way."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.submission: Submission | None = None
        self.problem: Problem | None = None
        self.id: str | None = None
        self.error: StoreUnavailable | None = None

    def result(self) -> dict[str, Any]:
        problem = not_now(self.error) if self.error is not None else self.problem
        if problem is None:
            return {"line": self.number, "status": 202, "id": self.id}
        return {"line": self.number, "status": problem.status, "problem": problem.body()}


@router.post(
    "/events:batch",
    operation_id="send_events",
    summary="Send many events",
    response_model=BatchResults,
    response_model_exclude_none=True,
    openapi_extra={"requestBody": BATCH_BODY},
)
async def send_events(request: Request, caller: WritesEvents) -> Response:
    """
    Store up to 1,000 events, one JSON object a line, each an envelope or a CloudEvent.

    `meta.id`, or the CloudEvent's source and id, is the event's idempotency key. A line
    that is refused does not keep the others out. 503 only if the store took none of them.
    """
    edge, api = edge_of(request), api_of(request)
    lines = [each for each in (await request.body()).split(b"\n") if each.strip()]
    if len(lines) > LARGEST_BATCH:
        errors = [{"pointer": "", "problem": f"has more than {LARGEST_BATCH} lines"}]
        raise Rejected(Problem("invalid-request", 422, "The request is not valid", extra={"errors": errors}))
    now = edge.clock()
    batch = [
        _understood(number, line, caller, api, now=now, limit_bytes=edge.body_limit_bytes)
        for number, line in enumerate(lines, start=1)
    ]
    await asyncio.gather(*(_store(together, api) for together in _by_conversation(batch)))
    failed = [line.error for line in batch if line.error is not None]
    if failed and not any(line.id for line in batch):
        raise failed[0]
    return answer({"results": [line.result() for line in batch]})


def _understood(
    number: int, text: bytes, caller: Caller, api: Api, *, now: datetime, limit_bytes: int
) -> _Line:
    line = _Line(number)
    try:
        if len(text) > limit_bytes:
            raise Rejected(BODY_TOO_LARGE)
        line.submission = Submission.of(_message(text), caller, api, now)
    except Malformed as malformed:
        line.problem = invalid_event(malformed)
    except Rejected as rejected:
        line.problem = rejected.problem
    return line


def _message(text: bytes) -> Message:
    try:
        raw = parse_exact(text)
    except ValueError:
        raise Malformed.at("", "the line is not JSON") from None
    if isinstance(raw, dict) and "specversion" in raw:
        return read_structured(raw)
    return read_message(raw)


def _by_conversation(batch: Sequence[_Line]) -> Sequence[Sequence[_Line]]:
    """Keep the order where it counts: what is for one conversation is stored one after the other."""
    together: dict[Conversation | str | int, list[_Line]] = {}
    for line in batch:
        if line.submission is not None:
            envelope = line.submission.envelope
            together.setdefault(envelope.conversation or envelope.token or line.number, []).append(line)
    return list(together.values())


async def _store(lines: Sequence[_Line], api: Api) -> None:
    for line in lines:
        if line.submission is None:
            continue
        try:
            line.id = await line.submission.store(api.inbox, api)
        except Rejected as rejected:
            line.problem = rejected.problem
        except StoreUnavailable as error:
            line.error = error
