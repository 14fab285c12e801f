"""A route that asks for the key first, and then reads the body within the configured limit."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Message

from routers.body import read_body
from routers.dependencies import edge_of
from routers.rest.caller import find_caller


class LimitedRoute(APIRoute):
    """FastAPI alone reads a body of any size, and tells strangers what is wrong with it."""

    times: ClassVar[int] = 1
    """How many times the configured limit."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler behind one that knows the caller and has read the body."""
        handle = super().get_route_handler()

        async def limited(request: Request) -> Response:
            await find_caller(request)
            body = await read_body(request, self.times * edge_of(request).body_limit_bytes)

            async def replay() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            return await handle(Request(request.scope, replay))

        return limited


class BatchRoute(LimitedRoute):
    """A route for many bodies in one."""

    times = 8
