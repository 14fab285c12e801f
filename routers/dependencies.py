"""What the routes stand on: small objects that whoever assembles the application builds and attaches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from aiogram.fsm.strategy import FSMStrategy
from fastapi import FastAPI
from starlette.requests import Request

from routers.call import Call
from routers.problems import NOT_READY, Rejected
from routers.provider import Provider
from routers.rest.api import Api
from routers.verification import Secret
from state.envelope import Envelope
from state.inbox import Disposition

DEFAULT_BODY_LIMIT_BYTES: Final = 1024 * 1024


class Inbox(Protocol):
    """The part of `state.inbox.Inbox` that the edge needs."""

    async def accept(self, envelope: Envelope, *, remember_for: timedelta) -> Disposition:
        """Store *envelope* once; raises `state.errors.StoreUnavailable`."""


@dataclass(frozen=True, slots=True)
class TelegramEndpoint:
    """One bot's webhook."""

    bot_id: int
    secrets: Sequence[Secret]
    strategy: FSMStrategy = FSMStrategy.USER_IN_CHAT
    body_limit_bytes: int = DEFAULT_BODY_LIMIT_BYTES

    @property
    def source(self) -> str:
        """Return the name under which this bot's updates are stored."""
        return f"telegram:{self.bot_id}"


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """One configured source. *public_url* is its address as the provider knows it."""

    name: str
    provider: Provider
    secrets: Sequence[Secret]
    public_url: str = ""
    body_limit_bytes: int = DEFAULT_BODY_LIMIT_BYTES


def utc_now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Edge:
    """All that the routes need. *draining* turns `/readyz` to 503, so that no new traffic is sent here."""

    inbox: Inbox
    telegram: Mapping[int, TelegramEndpoint] = field(default_factory=dict)
    webhooks: Mapping[str, WebhookEndpoint] = field(default_factory=dict)
    api: Api | None = None
    """What `/v1` works with."""
    clock: Callable[[], datetime] = utc_now
    body_limit_bytes: int = DEFAULT_BODY_LIMIT_BYTES
    """For calls of `/v1`; an endpoint of a webhook has its own."""
    draining: bool = False
    telegram_by_name: Mapping[str, TelegramEndpoint] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.telegram_by_name = {str(bot_id): endpoint for bot_id, endpoint in self.telegram.items()}


def attach(app: FastAPI, edge: Edge) -> None:
    """Give *app* its edge; before that every route answers 503."""
    app.state.edge = edge


def edge_of(request: Request) -> Edge:
    """
    The edge of the application that serves *request*.

    Raises:
        Rejected: it is not attached yet.
    """
    edge = getattr(request.app.state, "edge", None)
    if not isinstance(edge, Edge):
        raise Rejected(NOT_READY)
    return edge


def api_of(request: Request) -> Api:
    """
    What `/v1` works with, in the application that serves *request*.

    Raises:
        Rejected: it is not attached yet.
    """
    api = edge_of(request).api
    if api is None:
        raise Rejected(NOT_READY)
    return api


def call_of(request: Request, body: bytes, public_url: str = "") -> Call:
    """*request* as verifiers see it: with *body*, and the headers as they were sent."""
    scope = request.scope
    client = scope.get("client")
    return Call(
        body=body,
        headers=scope["headers"],
        query=scope["query_string"],
        remote_address=client[0] if client else "",
        method=scope["method"],
        public_url=public_url,
    )
