"""``/v1/bots/{bot}/users/{user}``: one conversation, its state, its end."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from routers.problems import Problem, Rejected, pointer
from routers.rest.address import Addressed
from routers.rest.answer import IfMatch, answer, nothing, precondition_failed, revision_of
from routers.rest.api import Api
from routers.rest.caller import ReadsState, WritesState
from routers.rest.described import CONDITION, ETAG, NO_SUCH_BOT, leads_on
from routers.rest.limited_route import LimitedRoute
from routers.rest.present import ConversationView, Present
from routers.rest.writes import write, write_from
from state.changes import Cause
from state.scripts import CommitAnswer

router = APIRouter(tags=["conversations"], route_class=LimitedRoute)

StateName = Annotated[str, Field(min_length=1, max_length=200)]


class StateChange(BaseModel):
    """A new state, and the states that it may be reached from."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    state: StateName | None = Field(description="null: no state", examples=["Shop:paid"])
    expected: list[StateName | None] | None = Field(
        default=None,
        alias="from",
        min_length=1,
        max_length=50,
        description="The states in which the change is right; null stands for no state",
        examples=[["Shop:paying"]],
    )


class StateSet(BaseModel):
    """The state, and the revision that it stands in."""

    state: str | None = Field(examples=["Shop:paid"])
    revision: int = Field(examples=[8])


@router.get(
    "/bots/{bot}/users/{user}",
    operation_id="get_conversation",
    summary="Read a conversation",
    response_model=ConversationView,
    responses={200: {"headers": ETAG}, **NO_SUCH_BOT},
)
async def get_conversation(address: Addressed, caller: ReadsState) -> Response:
    """State, drafts, data and screen of one user; of one who was never seen, none of it, at revision 0."""
    present = await Present.read(address.api, await address.of(caller))
    return answer(present.view(), revision=present.revision)


@router.put(
    "/bots/{bot}/users/{user}/state",
    operation_id="put_state",
    summary="Set the state",
    response_model=StateSet,
    responses={
        200: {
            "headers": ETAG,
            "links": leads_on("bot", "user", to=("get_conversation", "get_history", "delete_conversation")),
        },
        **NO_SUCH_BOT,
        **CONDITION,
    },
)
async def put_state(
    address: Addressed,
    caller: WritesState,
    wanted: Annotated[StateChange, Body()],
    if_match: IfMatch = None,
) -> Response:
    """
    Set the state, if `from` and `If-Match` hold.

    The garbage of the state that is left is deleted from the chat, and events that were parked are looked at
    again, as after any other change.
    """
    conversation = await address.of(caller)
    _require_known(address.api, wanted.state)
    members: dict[str, Any] = {
        "state": wanted.state if wanted.state is not None else False,
        "cause": Cause(caller.source, "rest.state"),
    }

    def change_of(present: Present) -> dict[str, Any]:
        if present.state not in (wanted.expected or ()):
            raise Rejected(precondition_failed(present, "Its state is none of `from`."))
        return members

    revision = revision_of(if_match)
    made: CommitAnswer
    if wanted.expected is None:
        made = await write(address.api, conversation, if_match=revision, **members)
    else:
        made = await write_from(address.api, conversation, change_of, if_match=revision)
    return answer({"state": wanted.state, "revision": made.revision}, revision=made.revision)


def _require_known(api: Api, state: str | None) -> None:
    if state is None or state in api.states:
        return
    place = {"pointer": pointer("state"), "problem": "No feature knows this state"}
    raise Rejected(Problem("unknown-state", 422, "No feature knows this state", extra={"errors": [place]}))


@router.delete(
    "/bots/{bot}/users/{user}",
    operation_id="delete_conversation",
    summary="Forget a conversation",
    status_code=204,
    response_class=Response,
    responses={**NO_SUCH_BOT, **CONDITION},
)
async def delete_conversation(address: Addressed, caller: WritesState, if_match: IfMatch = None) -> Response:
    """Remove its state, data, drafts and history; messages of a state that is garbage go from the chat."""
    await write(
        address.api,
        await address.of(caller),
        if_match=revision_of(if_match),
        state=False,
        replace="all",
        forget=True,
        cause=Cause(caller.source, "rest.delete"),
    )
    return nothing()
