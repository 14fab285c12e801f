"""The endpoints that nearly all calls are for: whatever becomes of a call, it is answered, and in time."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response

from routers import webhooks
from routers.body import Incoming
from routers.problems import INTERNAL, TOO_SLOW, TOOK_TOO_LONG, Rejected
from routers.telegram import route as telegram
from state.time_limit import TimeLimit

log: Final = structlog.get_logger("routers.hot_routes")

DEFAULT_LIMIT: Final = timedelta(seconds=15)


class HotRoutes:
    """
    Starlette endpoints for Telegram's updates and for the calls of providers.

    They wait for nothing but that the event is stored. One that is not stored within *limit* is refused;
    whether it was, its next coming shows.
    """

    def __init__(self, limit: timedelta = DEFAULT_LIMIT) -> None:
        self.limit = TimeLimit(limit)

    async def telegram(self, request: Request) -> Response:
        return await self._answer(telegram.receive, request)

    async def webhooks(self, request: Request) -> Response:
        return await self._answer(webhooks.receive, request)

    async def _answer(self, receive: Callable[[Incoming], Awaitable[Response]], request: Request) -> Response:
        # The doors have made one already.
        incoming = request if isinstance(request, Incoming) else Incoming(request.scope, request.receive)
        try:
            async with self.limit.wait():
                return await receive(incoming)
        except TimeoutError:
            problem = TOOK_TOO_LONG if incoming.has_come else TOO_SLOW
        except Rejected as rejected:
            problem = rejected.problem
        except Exception:
            # No detail of the request: its path may hold a secret.
            log.exception("a call failed", endpoint=receive.__module__)
            problem = INTERNAL
        return problem.response()
