"""Who is in which state: counted, and listed in pages."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from routers.dependencies import api_of
from routers.problems import Rejected
from routers.rest.address import BotName, bot_for
from routers.rest.answer import CURSOR, answer
from routers.rest.caller import ReadsState
from routers.rest.conversations import StateName
from routers.rest.described import NO_SUCH_BOT, leads_to
from routers.rest.limited_route import LimitedRoute
from routers.rest.present import Place, place
from state.directory import CursorUnreadable

router = APIRouter(tags=["conversations"], route_class=LimitedRoute)


class StateCounts(BaseModel):
    """How many conversations are in each state; states with none are left out."""

    states: dict[str, int] = Field(examples=[{"Shop:paying": 3}])


class Query(BaseModel):
    """Which conversations to list."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    bot: str = Field(max_length=64, description="The bot's name, or its id", examples=["main"])
    state: StateName = Field(examples=["Shop:paying"])
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = Field(default=None, max_length=500, description="Of the page before")


class Page(BaseModel):
    """Some conversations, and where the next page begins; null: this was the last one."""

    conversations: list[Place]
    cursor: str | None


@router.get(
    "/bots/{bot}/states",
    operation_id="count_states",
    summary="Count users by state",
    response_model=StateCounts,
    responses=NO_SUCH_BOT,
)
async def count_states(request: Request, caller: ReadsState, bot: BotName) -> Response:
    """Return the counts that every commit keeps; nothing is scanned."""
    api = api_of(request)
    return answer({"states": await api.directory.counts(bot_for(api, bot, caller))})


@router.post(
    "/conversations:query",
    operation_id="query_conversations",
    summary="List conversations by state",
    response_model=Page,
    responses={
        200: {
            "links": {
                name: found
                for operation in ("get_conversation", "get_history", "delete_conversation")
                for name, found in leads_to(
                    operation,
                    bot="/conversations/0/bot",
                    user="/conversations/0/user",
                    chat="/conversations/0/chat",
                ).items()
            }
        },
        **NO_SUCH_BOT,
    },
)
async def query_conversations(
    request: Request, caller: ReadsState, query: Annotated[Query, Body()]
) -> Response:
    """Return one page; a conversation that stays in the state meanwhile is in exactly one of them."""
    api = api_of(request)
    bot_id = bot_for(api, query.bot, caller)
    try:
        page = await api.directory.page(bot_id, query.state, limit=query.limit, cursor=query.cursor)
    except CursorUnreadable:
        raise Rejected(CURSOR) from None
    return answer({"conversations": [place(each) for each in page.conversations], "cursor": page.cursor})
