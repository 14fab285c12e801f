"""`/metrics`, for whoever has the token; without one in the settings there is no such page."""

import hmac
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from routers.dependencies import edge_of
from routers.problems import UNAUTHORIZED, Problem

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_NOT_FOUND: Final = Problem("not-found", 404, "Not Found")


async def metrics(request: Request) -> Response:
    """Tell what all processes have counted, and what is owed now."""
    page = edge_of(request).metrics
    if page is None:
        return _NOT_FOUND.response()
    if page.token is not None:
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, b"Bearer " + page.token):
            return UNAUTHORIZED.response()
    return Response(await page.text(), media_type=CONTENT_TYPE)
