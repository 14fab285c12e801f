"""Who may come in at all: nobody while the process drains."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from routers.dependencies import Edge
from routers.problems import DRAINING

#: What tells whether the process works must be answered to the last.
ALWAYS_ANSWERED: Final = ("/livez", "/readyz", "/metrics")


class Admission:
    """
    ASGI middleware around all routes.

    A call that comes while the process drains is told to go elsewhere, and its connection is closed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in ALWAYS_ANSWERED:
            edge = getattr(scope["app"].state, "edge", None)
            if isinstance(edge, Edge) and edge.draining:
                await DRAINING.response()(scope, receive, send)
                return
            if isinstance(edge, Edge) and edge.leaving:
                send = _closing(send)
        await self._app(scope, receive, send)


def _closing(send: Send) -> Send:
    """Return *send*, with the word that this connection takes no further request."""

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return closing
