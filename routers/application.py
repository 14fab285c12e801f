"""The ASGI application that is served: the way of a call until it is at its route."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from routers.admission import Admission
from routers.doors import Doors
from routers.hot_routes import DEFAULT_LIMIT, HotRoutes


class Application(FastAPI):
    """
    FastAPI with our own layers outermost: `Admission`, then `Doors`, and behind them all of the framework.

    What is added with `add_middleware` is behind the doors: the hot routes do not pay for it.
    *request_limit* is theirs.
    """

    def __init__(self, *, request_limit: timedelta = DEFAULT_LIMIT, **about: Any) -> None:
        super().__init__(**about)
        self.hot_routes = HotRoutes(request_limit)

    def build_middleware_stack(self) -> ASGIApp:
        """Return what `__call__` hands each call to."""
        return Admission(Doors(super().build_middleware_stack(), self.hot_routes))
