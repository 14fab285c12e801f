"""Who may come in at all: nobody while the process drains, and nobody for longer than the limit."""

from datetime import timedelta
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from routers.dependencies import Edge
from routers.problems import DRAINING, TOO_SLOW, TOOK_TOO_LONG
from state.time_limit import TimeLimit

DEFAULT_LIMIT: Final = timedelta(seconds=15)
#: What tells whether the process works must be answered to the last.
ALWAYS_ANSWERED: Final = ("/livez", "/readyz", "/metrics")
#: Callers who wait for nothing but that their event is stored.
LIMITED: Final = ("/telegram/", "/webhooks/")


class Admission:
    """
    ASGI middleware around all routes.

    A call that comes while the process drains is told to go elsewhere, and its connection is closed. An event
    that is not stored within *limit* is refused; whether it was, its next coming shows.
    """

    def __init__(self, app: ASGIApp, limit: timedelta = DEFAULT_LIMIT) -> None:
        self._app = app
        self._limit = TimeLimit(limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ALWAYS_ANSWERED:
            await self._app(scope, receive, send)
            return
        edge = getattr(scope["app"].state, "edge", None)
        if isinstance(edge, Edge) and edge.draining:
            await DRAINING.response()(scope, receive, send)
            return
        if isinstance(edge, Edge) and edge.leaving:
            send = _closing(send)
        if scope["path"].startswith(LIMITED):
            await self._within_limit(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _within_limit(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_come = answered = False

        async def watched_receive() -> Message:
            nonlocal has_come
            message = await receive()
            has_come = not message.get("more_body", False)
            return message

        async def watched_send(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            async with self._limit.wait():
                await self._app(scope, watched_receive, watched_send)
        except TimeoutError:
            if answered:
                raise
            problem = TOOK_TOO_LONG if has_come else TOO_SLOW
            await problem.response()(scope, receive, send)


def _closing(send: Send) -> Send:
    """Return *send*, with the word that this connection takes no further request."""

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return closing
