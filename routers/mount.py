"""All routes on the application."""

from collections.abc import Mapping

from fastapi import APIRouter

from routers import openapi, problems
from routers.application import Application
from routers.doors import TELEGRAM, WEBHOOKS
from routers.operations.documentation import documentation_router
from routers.operations.health import Check, health_router
from routers.operations.metrics import metrics
from routers.rest.routes import rest_router


def mount(app: Application, *, checks: Mapping[str, Check] | None = None) -> None:
    """
    Add all routes, the problem details and the description of the hot routes to *app*.

    The two hot routes are plain Starlette endpoints, and most of their calls reach them through `Doors`.
    """
    hot = APIRouter()
    hot.add_route(TELEGRAM, app.hot_routes.telegram, methods=["POST"], name="telegram")
    for path in WEBHOOKS:
        hot.add_route(path, app.hot_routes.webhooks, methods=["GET", "POST"], name="webhooks")
    app.include_router(hot)
    operations = APIRouter()
    operations.add_route("/metrics", metrics, methods=["GET"], name="metrics")
    app.include_router(operations)
    app.include_router(rest_router())
    app.include_router(documentation_router())
    app.include_router(health_router(checks or {}))
    problems.install(app)
    openapi.describe(app)
