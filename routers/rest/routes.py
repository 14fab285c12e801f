"""All of ``/v1``."""

from typing import Any, Final

from fastapi import APIRouter

from routers.problems import MEDIA_TYPE
from routers.rest import bots

_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}


def problem(description: str, *, retry: bool = False) -> dict[str, Any]:
    """Return the description of an answer that is a problem."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    described: dict[str, Any] = {"description": description, "content": content}
    return described | {"headers": _RETRY_AFTER} if retry else described


#: What every operation of ``/v1`` may answer.
ALWAYS: Final[dict[int | str, dict[str, Any]]] = {
    401: problem("No key, or one that opens nothing: one answer for all of it"),
    403: problem("The key lacks the scope, or is for other bots"),
    422: problem("The request is not valid; `errors` names each place by its JSON pointer"),
    429: problem("The key has used up its calls", retry=True),
    503: problem("The store did not answer", retry=True),
}


def rest_router() -> APIRouter:
    """Return the routes, none of which answers without a key."""
    router = APIRouter(prefix="/v1", responses=ALWAYS)
    for part in (bots,):
        router.include_router(part.router)
    return router
