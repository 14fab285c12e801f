"""All of ``/v1``."""

from fastapi import APIRouter

from routers.rest import (
    bots,
    conversations,
    drafts,
    event_batch,
    events,
    expectations,
    history,
    operations,
    scene,
    states,
    stream,
)
from routers.rest.described import ALWAYS


def rest_router() -> APIRouter:
    """Return the routes, none of which answers without a key."""
    router = APIRouter(prefix="/v1", responses=ALWAYS)
    for part in (
        bots,
        conversations,
        drafts,
        scene,
        states,
        history,
        events,
        event_batch,
        expectations,
        operations,
        stream,
    ):
        router.include_router(part.router)
    return router
