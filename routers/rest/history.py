"""``.../history``: why is this user in this state."""

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from routers.rest.address import Addressed
from routers.rest.answer import answer
from routers.rest.caller import ReadsState
from routers.rest.described import NO_SUCH_BOT
from routers.rest.limited_route import LimitedRoute
from routers.rest.present import moment

router = APIRouter(tags=["conversations"], route_class=LimitedRoute)


class TransitionView(BaseModel):
    """One change, and what caused it."""

    at: AwareDatetime
    source: str = Field(description="Who: a bot, a provider, `api:<name>`", examples=["stripe"])
    type: str = Field(description="What", examples=["payment.succeeded"])
    idempotency_key: str
    event: str | None = Field(description="The event's id; null: there was none")
    before: str | None = Field(serialization_alias="from")
    to: str | None
    revision: int
    drafts: dict[str, list[str]] = Field(description="Fields written or removed; `*`: the draft was cleared")
    did: list[str] = Field(description="What the chat was owed for it")


class DeliveryView(BaseModel):
    """What became of one thing that the chat was owed."""

    at: AwareDatetime
    did: str = Field(description="What it was", examples=["show content"])
    outcome: str = Field(description="`done`, `refused` or `dropped`", examples=["done"])
    cause: str | None = Field(description="What stood in the way")
    verb: str | None = Field(description="`sent`, `edited` or `deleted`; null: none of it", examples=["sent"])
    messages: list[str] = Field(description="Those it was done to, as chat:message", examples=[["501:17"]])


class HistoryView(BaseModel):
    """The last changes and what the chat was brought to show, each the newest first."""

    transitions: list[TransitionView]
    deliveries: list[DeliveryView]


@router.get(
    "/bots/{bot}/users/{user}/history",
    operation_id="get_history",
    summary="Read a conversation's history",
    response_model=HistoryView,
    responses=NO_SUCH_BOT,
)
async def get_history(address: Addressed, caller: ReadsState) -> Response:
    """Return its last changes, each written by the commit that made it, and the messages they led to."""
    account = await address.api.history.of(await address.of(caller))
    return answer(
        {
            "transitions": [
                {
                    "at": moment(each.at_ms),
                    "source": each.source,
                    "type": each.type,
                    "idempotency_key": each.idempotency_key,
                    "event": each.event_id,
                    "from": each.from_state,
                    "to": each.to_state,
                    "revision": each.revision,
                    "drafts": each.drafts,
                    "did": each.did,
                }
                for each in account.transitions
            ],
            "deliveries": [
                {
                    "at": moment(at_ms),
                    "did": each.deed,
                    "outcome": each.outcome,
                    "cause": each.cause,
                    "verb": each.verb,
                    "messages": list(each.messages),
                }
                for at_ms, each in account.deliveries
            ],
        }
    )
