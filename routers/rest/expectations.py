"""``/v1/expectations``: for services that create the payment or the booking themselves."""

import time
from datetime import timedelta
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Body, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from routers.dependencies import api_of
from routers.problems import Problem, Rejected
from routers.rest.address import Addressed
from routers.rest.answer import answer, nothing
from routers.rest.api import Api
from routers.rest.caller import Caller, ReadsState, WritesState
from routers.rest.described import NO_SUCH_BOT, leads_to, problem
from routers.rest.limited_route import LimitedRoute
from routers.rest.present import Place, moment, place
from state.changes import Cause
from state.expectations import Expectation, Expected, mint

router = APIRouter(tags=["expectations"], route_class=LimitedRoute)

UNKNOWN: Final = Problem("unknown-expectation", 404, "No such expectation is known, or not any more")
_NOT_KNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: problem("No such expectation is known, or not any more")
}
_DAY_SECONDS: Final = 86_400
Token = Annotated[str, Path(max_length=64, description="As it was given", examples=["0b" + "a" * 24])]
Name = Annotated[str, Field(min_length=1, max_length=100)]


#: Where the answer has the token.
_TOKEN: Final = {"token": "/token"}


class ExpectationCall(BaseModel):
    """What to wait for."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    payment: Name | None = Field(default=None, description="The feature's name for it", examples=["tea"])
    booking: Name | None = Field(default=None, description="Either this or `payment`")
    amount_minor: int | None = Field(default=None, ge=0, le=2**53, examples=[4200])
    currency: str | None = Field(default=None, pattern=r"^[A-Z0-9]{3,10}$", examples=["EUR"])
    feature: str = Field(default="", max_length=64, description="Whose handlers see it; empty: everybody's")
    expires_seconds: int = Field(default=30 * _DAY_SECONDS, ge=1, le=366 * _DAY_SECONDS)
    source: str = Field(
        default="",
        max_length=64,
        description="The payment's source, which is asked if it does not end in time",
    )
    ends_within_seconds: int = Field(
        default=900, ge=1, le=366 * _DAY_SECONDS, description="In what time; `source` is asked after that"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.payment is None) == (self.booking is None):
            raise ValueError("expect either a payment or a booking")
        if (self.amount_minor is None) != (self.currency is None):
            raise ValueError("an expected payment has both amount_minor and currency, or neither")
        if self.source and self.payment is None:
            raise ValueError("only payments are asked about: leave source out for a booking")
        return self


class ExpectationView(BaseModel):
    """What is waited for; the token must travel through the provider."""

    token: str
    conversation: Place
    kind: str = Field(examples=["payment"])
    name: str = Field(examples=["tea"])
    feature: str
    amount_minor: int | None
    currency: str | None
    expires_at: AwareDatetime


@router.post(
    "/bots/{bot}/users/{user}/expectations",
    operation_id="create_expectation",
    summary="Expect a payment or a booking",
    status_code=201,
    response_model=ExpectationView,
    responses={
        201: {
            "headers": {"Location": {"description": "Where it stands", "schema": {"type": "string"}}},
            "links": leads_to("get_expectation", **_TOKEN) | leads_to("cancel_expectation", **_TOKEN),
        },
        **NO_SUCH_BOT,
    },
)
async def create_expectation(
    address: Addressed, caller: WritesState, call: Annotated[ExpectationCall, Body()]
) -> Response:
    """
    Return a token; what a provider tells with it belongs to this conversation.

    A payment of another amount or currency than the expected one becomes `payment.mismatched`.
    """
    api, conversation = address.api, await address.of(caller)
    partition = api.scripts.keys.partition_of(conversation)
    expectation = Expectation(
        mint(partition),
        call.feature,
        "payment" if call.payment is not None else "booking",
        call.payment or call.booking or "",
        call.amount_minor,
        call.currency,
        call.source,
        lives_for=timedelta(seconds=call.expires_seconds),
        ends_within=timedelta(seconds=call.ends_within_seconds),
    )
    await api.change(
        conversation,
        expectations=[expectation.registration(partition)],
        cause=Cause(caller.source, "rest.expectation"),
    )
    expires_at_ms = time.time_ns() // 1_000_000 + call.expires_seconds * 1000
    return answer(
        _view(Expected(expectation, conversation, expires_at_ms)),
        201,
        headers={"Location": f"/v1/expectations/{expectation.token}"},
    )


@router.get(
    "/expectations/{token}",
    operation_id="get_expectation",
    summary="Read an expectation",
    response_model=ExpectationView,
    responses=_NOT_KNOWN,
)
async def get_expectation(request: Request, caller: ReadsState, token: Token) -> Response:
    """Return what is waited for under the token."""
    return answer(_view(await _find(api_of(request), caller, token)))


@router.delete(
    "/expectations/{token}",
    operation_id="cancel_expectation",
    summary="Cancel an expectation",
    status_code=204,
    response_class=Response,
    responses=_NOT_KNOWN,
)
async def cancel_expectation(request: Request, caller: WritesState, token: Token) -> Response:
    """Forget the token; what comes with it from now on is unresolved."""
    api = api_of(request)
    await _find(api, caller, token)
    await api.expectations.cancel(token)
    return nothing()


async def _find(api: Api, caller: Caller, token: str) -> Expected:
    expected = await api.expectations.find(token)
    if expected is None or not caller.sees(expected.conversation.bot_id):
        raise Rejected(UNKNOWN)
    return expected


def _view(expected: Expected) -> dict[str, Any]:
    expectation = expected.expectation
    return {
        "token": expectation.token,
        "conversation": place(expected.conversation),
        "kind": expectation.kind,
        "name": expectation.name,
        "feature": expectation.feature,
        "amount_minor": expectation.amount_minor,
        "currency": expectation.currency,
        "expires_at": moment(expected.expires_at_ms),
    }
