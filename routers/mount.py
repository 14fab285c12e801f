"""The edge on a FastAPI application."""

from collections.abc import Mapping
from datetime import timedelta

from fastapi import APIRouter, FastAPI

from routers import openapi, problems, webhooks
from routers.admission import DEFAULT_LIMIT, Admission
from routers.doors import TELEGRAM, WEBHOOKS, Doors
from routers.operations.documentation import documentation_router
from routers.operations.health import Check, health_router
from routers.operations.metrics import metrics
from routers.rest.routes import rest_router
from routers.telegram import route as telegram


def mount(
    app: FastAPI,
    *,
    checks: Mapping[str, Check] | None = None,
    request_limit: timedelta = DEFAULT_LIMIT,
) -> None:
    """
    Add all routes, the problem details and the description of the hot routes to *app*.

    The two hot routes are plain Starlette endpoints, and most of their calls reach them through `Doors`.
    """
    hot = APIRouter()
    hot.add_route(TELEGRAM, telegram.receive, methods=["POST"], name="telegram")
    for path in WEBHOOKS:
        hot.add_route(path, webhooks.receive, methods=["GET", "POST"], name="webhooks")
    app.include_router(hot)
    operations = APIRouter()
    operations.add_route("/metrics", metrics, methods=["GET"], name="metrics")
    app.include_router(operations)
    app.include_router(rest_router())
    app.include_router(documentation_router())
    app.include_router(health_router(checks or {}))
    app.add_middleware(Doors)
    app.add_middleware(Admission, limit=request_limit)
    problems.install(app)
    openapi.describe(app)
