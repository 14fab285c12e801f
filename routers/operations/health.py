"""`/livez` and `/readyz`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from routers.dependencies import Edge
from routers.problems import Problem

Check = Callable[[], Awaitable[None]]
"""Raises if what it is named after does not work."""

CHECK_TIMEOUT: Final = timedelta(seconds=2)


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """Liveness, and readiness that runs all *checks* at once and names those that fail."""
    router = APIRouter(tags=["operations"])

    @router.get("/livez", summary="Is the process alive", response_model=dict[str, str])
    async def livez() -> Response:
        return JSONResponse({"status": "alive"})

    @router.get(
        "/readyz",
        summary="Should traffic be sent here",
        response_model=dict[str, str],
        responses={503: {"description": "What fails is named in `failing`"}},
    )
    async def readyz(request: Request) -> Response:
        outcomes = await asyncio.gather(*(_works(check) for check in checks.values()))
        failing = [name for name, works in zip(checks, outcomes, strict=True) if not works]
        edge = getattr(request.app.state, "edge", None)
        if not isinstance(edge, Edge):
            failing.append("starting")
        elif edge.draining or edge.leaving:
            failing.append("draining")
        if failing:
            return Problem(
                "not-ready",
                503,
                "The gateway is not ready",
                headers={"Retry-After": "1"},
                extra={"failing": failing},
            ).response()
        said = {"durability": edge.durability} if isinstance(edge, Edge) and edge.durability else {}
        return JSONResponse({"status": "ready", **said})

    return router


async def _works(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT.total_seconds()):
            await check()
    except Exception:  # noqa: BLE001 - whatever a check raises means that it fails
        return False
    return True
