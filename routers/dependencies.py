"""What the routes stand on: small objects that whoever assembles the application builds and attaches."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog
from aiogram.fsm.strategy import FSMStrategy
from fastapi import FastAPI
from starlette.requests import Request
from structlog.typing import FilteringBoundLogger

from routers.allowance import Allowance
from routers.asker import ApiUnavailable
from routers.call import Call
from routers.callers_address import Network, callers_address
from routers.decision import Decider, NobodyDecides
from routers.problems import HEADERS_TOO_LARGE, NOT_READY, Rejected
from routers.provider import Provider
from routers.question import Question
from routers.rest.api import Api
from routers.verification import Secret
from state.counts import Counts
from state.envelope import Envelope
from state.inbox import Disposition

DEFAULT_BODY_LIMIT_BYTES: Final = 1024 * 1024
#: All header lines together, and how many; no provider comes near either.
MAX_HEADERS_BYTES: Final = 32 * 1024
MAX_HEADERS: Final = 100
MAX_QUERY_BYTES: Final = 8 * 1024


class Inbox(Protocol):
    """The part of `state.inbox.Inbox` that the edge needs."""

    async def accept(
        self, envelope: Envelope, *, remember_for: timedelta, urgent: bool = False
    ) -> Disposition:
        """Store *envelope* once, *urgent* before all others; raises `state.errors.StoreUnavailable`."""


class Objects(Protocol):
    """The part of `state.provider_objects.ProviderObjects` that the edge needs."""

    async def remember(self, source: str, object_id: str, token: str) -> None:
        """Keep the token that an object came with; raises `state.errors.StoreUnavailable`."""

    async def token_of(self, source: str, object_id: str) -> str | None:
        """Return the token that an object came with; raises `state.errors.StoreUnavailable`."""


class Asker(Protocol):
    """The part of `routers.asker.Asker` that the edge needs."""

    async def ask(self, question: Question, *, refresh: bool = False) -> bytes | None:
        """Return what a provider's API answers; raises `routers.asker.ApiUnavailable`."""


class NobodyAsks:
    """Stands where no provider's API can be reached."""

    async def ask(self, question: Question, *, refresh: bool = False) -> bytes | None:  # noqa: ARG002 - the protocol's
        """
        Refuse.

        Raises:
            ApiUnavailable: always.
        """
        raise ApiUnavailable(question.url, "no asker is attached")


@dataclass(frozen=True, slots=True)
class TelegramEndpoint:
    """One bot's webhook."""

    bot_id: int
    secrets: Sequence[Secret]
    strategy: FSMStrategy = FSMStrategy.USER_IN_CHAT
    body_limit_bytes: int = DEFAULT_BODY_LIMIT_BYTES
    allowance: Allowance | None = None

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
    allowance: Allowance | None = None


def utc_now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """What `/metrics` says, and to whom; without a token to everybody."""

    text: Callable[[], Awaitable[bytes]]
    token: bytes | None = None


def _lines() -> FilteringBoundLogger:
    lines: FilteringBoundLogger = structlog.get_logger("routers.ingest").bind()
    return lines


@dataclass(slots=True)
class Edge:
    """All that the routes need. *draining* refuses every call and turns `/readyz` to 503."""

    inbox: Inbox
    telegram: Mapping[int, TelegramEndpoint] = field(default_factory=dict)
    webhooks: Mapping[str, WebhookEndpoint] = field(default_factory=dict)
    api: Api | None = None
    """What `/v1` works with."""
    objects: Objects | None = None
    """What later events of a payment or booking are told apart by that carry no token."""
    decider: Decider = field(default_factory=NobodyDecides)
    asker: Asker = field(default_factory=NobodyAsks)
    trusted_proxies: Sequence[Network] = ()
    clock: Callable[[], datetime] = utc_now
    body_limit_bytes: int = DEFAULT_BODY_LIMIT_BYTES
    """For calls of `/v1`; an endpoint of a webhook has its own."""
    counts: Counts | None = None
    metrics: MetricsPage | None = None
    durability: str = ""
    """What a crash of Redis can lose of what was acknowledged, as `/readyz` says it."""
    leaving: bool = False
    """Calls are still taken, on connections that then close; `/readyz` is 503."""
    draining: bool = False
    lines: FilteringBoundLogger = field(default_factory=_lines, repr=False)
    """
    Takes a line of each call, as the log is set up when the edge is made.

    To find that out for each call costs more than to leave out a line below the level.
    """
    telegram_by_name: Mapping[str, TelegramEndpoint] = field(init=False, repr=False)

    def count_refusal(self, source: str, reason: str) -> None:
        """Count a call that was not taken; *source* is a configured one, or unknown."""
        if self.counts is not None:
            self.counts.add("refusals", source, reason)

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


def call_of(
    request: Request,
    body: bytes,
    *,
    public_url: str = "",
    path_secret: str = "",
    trusted_proxies: Sequence[Network] = (),
) -> Call:
    """*request* as verifiers see it: with *body*, and the headers as they were sent."""
    scope = request.scope
    client = scope.get("client")
    headers = scope["headers"]
    return Call(
        body=body,
        headers=headers,
        query=scope["query_string"],
        remote_address=callers_address(client[0] if client else "", headers, trusted_proxies),
        method=scope["method"],
        public_url=public_url,
        path_secret=path_secret,
    )


def check_headers(request: Request) -> None:
    """
    Hold the headers and the query to their limits.

    Raises:
        Rejected: there are too many, or they are too long.
    """
    headers = request.scope["headers"]
    size = sum([len(name) + len(value) for name, value in headers])
    if (
        len(headers) > MAX_HEADERS
        or size > MAX_HEADERS_BYTES
        or len(request.scope["query_string"]) > MAX_QUERY_BYTES
    ):
        raise Rejected(HEADERS_TOO_LARGE)
