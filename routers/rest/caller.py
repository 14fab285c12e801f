"""Who calls, and what they may do."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from routers.dependencies import api_of, edge_of
from routers.problems import Problem, Rejected
from routers.rest.api import TokenReader
from state.api_keys import ApiKey, Scope

log: Final = structlog.get_logger("routers.rest")

#: One answer for no key, a malformed, an unknown, an expired and a revoked one.
UNAUTHORIZED: Final = Problem(
    "unauthorized",
    401,
    "The call is not authorized",
    "It carries no key that opens anything. Send it as Authorization: Bearer <key>.",
    headers={"WWW-Authenticate": "Bearer"},
)
TOO_MANY: Final = Problem(
    "too-many-requests",
    429,
    "The key has used up its calls of this second",
    headers={"Retry-After": "1"},
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A service that has proven which key it holds."""

    name: str
    scopes: frozenset[str]
    bots: frozenset[int]
    """Empty: every bot."""

    @property
    def source(self) -> str:
        """The source of the events that it sends and of the changes that it makes."""
        return f"api:{self.name}"

    def sees(self, bot_id: int | None) -> bool:
        """Tell whether it may know what belongs to *bot_id*; None: to no bot in particular."""
        return not self.bots or bot_id in self.bots

    def require_bot(self, bot_id: int) -> None:
        """
        Let pass whoever may work with that bot.

        Raises:
            Rejected: the key is for other bots.
        """
        if not self.sees(bot_id):
            raise Rejected(forbidden("The key is for other bots."))


def forbidden(detail: str) -> Problem:
    """The key is known, and may not do this."""
    return Problem("forbidden", 403, "The key may not do this", detail)


#: Where a request's scope remembers who calls.
_CALLER: Final = "gateway.caller"
_BEARER: Final = HTTPBearer(
    scheme_name="ApiKey",
    bearerFormat="gwk_<id>_<secret>",
    description="A key made by `gateway keys create`, or a JWT where that is set up; its scopes name what it "
    "may do.",
    auto_error=False,
)


async def find_caller(request: Request) -> Caller:
    """
    Return who calls, asking the store once for each request.

    Raises:
        Rejected: no usable key, or too many calls.
        StoreUnavailable: Redis did not answer.
    """
    known = request.scope.get(_CALLER)
    if isinstance(known, Caller):
        return known
    api = api_of(request)
    now_ms = int(edge_of(request).clock().timestamp() * 1000)
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    text = text.strip() if scheme.lower() == "bearer" else ""
    if api.tokens is not None and text.count(".") == 2:
        return await _of_token(request, api.tokens, text)
    # Without a key the same is done as with an unknown one, so that refusals take equally long.
    key = await api.keys.find(text)
    if key is None or not key.usable(now_ms):
        log.warning("refused", key=key.id if key is not None else None, path=request.url.path)
        raise Rejected(UNAUTHORIZED)
    if not await api.keys.within_limit(key, now_ms):
        raise Rejected(TOO_MANY)
    caller = _caller(key)
    request.scope[_CALLER] = caller
    return caller


async def authenticated(
    request: Request,
    needed: SecurityScopes,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Caller:
    """
    Return who calls, if they may do what the route needs.

    Raises:
        Rejected: no usable key, a key without the scope, or too many calls.
        StoreUnavailable: Redis did not answer.
    """
    caller = await find_caller(request)
    missing = [scope for scope in needed.scopes if scope not in caller.scopes]
    if missing:
        raise Rejected(forbidden(f"It lacks the scope {missing[0]}."))
    return caller


async def _of_token(request: Request, tokens: TokenReader, text: str) -> Caller:
    caller = await tokens.read(text)
    if not isinstance(caller, Caller):
        log.warning("refused", token=True, path=request.url.path)
        raise Rejected(UNAUTHORIZED)
    request.scope[_CALLER] = caller
    return caller


def _caller(key: ApiKey) -> Caller:
    return Caller(key.name, frozenset(scope.value for scope in key.scopes), key.bots)


def needs(scope: Scope) -> Any:
    """The dependency of a route that only keys with *scope* may call."""
    return Security(authenticated, scopes=[scope.value])


ReadsState = Annotated[Caller, needs(Scope.STATE_READ)]
WritesState = Annotated[Caller, needs(Scope.STATE_WRITE)]
ReadsEvents = Annotated[Caller, needs(Scope.EVENTS_READ)]
WritesEvents = Annotated[Caller, needs(Scope.EVENTS_WRITE)]
ReadsOperations = Annotated[Caller, needs(Scope.OPERATIONS_READ)]
WritesOperations = Annotated[Caller, needs(Scope.OPERATIONS_WRITE)]
