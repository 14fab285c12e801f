"""``.../scene``: send a user to a scene, and show it."""

from typing import Annotated, Final

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from routers.problems import Problem, Rejected, pointer
from routers.rest.address import Addressed
from routers.rest.answer import answer
from routers.rest.api import Entered
from routers.rest.caller import WritesState
from routers.rest.conversations import StateSet
from routers.rest.described import ETAG, NO_SUCH_BOT, leads_on, problem
from routers.rest.limited_route import LimitedRoute
from routers.rest.present import Present
from routers.rest.writes import CONTENDED

router = APIRouter(tags=["conversations"], route_class=LimitedRoute)

_REFUSED: Final = Problem("scene-refused", 409, "A guard of the bot does not let the user in")
_FAILED: Final = Problem(
    "scene-failed",
    422,
    "The scene cannot be made of this payload",
    "Everything is as it was; the failure is in the gateway's log.",
)


class SceneCall(BaseModel):
    """A scene, and what it is to show."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    scene: str = Field(min_length=1, max_length=64, examples=["shop"])
    payload: JsonValue = Field(default=None, examples=[{"item": "tea"}])


@router.post(
    "/bots/{bot}/users/{user}/scene",
    operation_id="set_scene",
    summary="Enter a scene and show it",
    response_model=StateSet,
    responses={
        200: {"headers": ETAG, "links": leads_on("bot", "user", to=("get_conversation", "get_history"))},
        409: problem("A guard of the bot does not let the user in"),
        **NO_SUCH_BOT,
    },
)
async def set_scene(address: Addressed, caller: WritesState, call: Annotated[SceneCall, Body()]) -> Response:
    """Set the scene's state and push its view to the chat, both or neither, as a handler of the bot would."""
    conversation = await address.of(caller)
    if call.scene not in address.api.scenes.names:
        place = {"pointer": pointer("scene"), "problem": "No feature of this name has a scene"}
        raise Rejected(Problem("unknown-scene", 422, "There is no such scene", extra={"errors": [place]}))
    entered = await address.api.scenes.enter(conversation, call.scene, call.payload, source=caller.source)
    match entered:
        case Entered.REFUSED:
            raise Rejected(_REFUSED)
        case Entered.FAILED:
            raise Rejected(_FAILED)
        case Entered.CONTENDED:
            raise Rejected(CONTENDED)
        case Entered.ENTERED:
            present = await Present.read(address.api, conversation)
            return answer({"state": present.state, "revision": present.revision}, revision=present.revision)
