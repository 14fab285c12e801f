"""The doors that nearly all calls come through, ahead of the framework's own way to a route."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from routers.body import Incoming
from routers.hot_routes import HotRoutes

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

TELEGRAM: Final = "/telegram/{bot_id}"
#: Some providers call by GET, some can prove who they are by a secret part of the address only.
WEBHOOKS: Final = ("/webhooks/{source}", "/webhooks/{source}/{secret}")


class Doors:
    """
    ASGI middleware that takes well-formed calls of the hot routes to their endpoints.

    The framework's layers and its search through all routes cost as much as the rest of such a call. What has
    another form goes on to the framework, which has the same routes and answers it.
    """

    def __init__(self, app: ASGIApp, hot: HotRoutes) -> None:
        self._app = app
        self._hot = hot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoint_of(scope)
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        response = await endpoint(Incoming(scope, receive))
        await response(scope, receive, send)

    def _endpoint_of(self, scope: Scope) -> Endpoint | None:
        """Return who answers the call, having put the parts of its path where a route would."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope.get("root_path"):
            return None
        match scope["path"].split("/"):
            case ["", "telegram", bot_id] if bot_id:
                scope["path_params"] = {"bot_id": bot_id}
                return self._hot.telegram
            case ["", "webhooks", source] if source:
                scope["path_params"] = {"source": source}
                return self._hot.webhooks
            case _:
                return None
