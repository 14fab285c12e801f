"""``/v1/bots``: which bots there are."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from routers.dependencies import api_of
from routers.rest.caller import ReadsState
from routers.rest.described import leads_to
from routers.rest.limited_route import LimitedRoute

router = APIRouter(tags=["bots"], route_class=LimitedRoute)


class Bot(BaseModel):
    """One configured bot; both its name and its id stand for it wherever a bot is asked for."""

    name: str = Field(examples=["main"])
    id: int = Field(examples=[42])


class Bots(BaseModel):
    bots: list[Bot]


@router.get(
    "/bots",
    operation_id="list_bots",
    summary="List the bots",
    responses={200: {"links": leads_to("count_states", bot="/bots/0/name")}},
)
async def list_bots(request: Request, caller: ReadsState) -> Bots:
    """Return the bots that the key may work with."""
    bots = api_of(request).bots
    return Bots(bots=[Bot(name=name, id=bot_id) for name, bot_id in bots.items() if caller.sees(bot_id)])
