"""What a service sends about one user of the shop, and the draft that it changes."""

from typing import Any

from tests.http.rest.conftest import USER, Rest

ORDER = {"meta": {"type": "shop.order", "user_id": USER, "bot": "main"}, "payload": {"item": "tea"}}
CLOUD_EVENT = {
    "specversion": "1.0",
    "id": "order-1",
    "source": "/orders",
    "type": "shop.order",
    "userid": str(USER),
    "bot": "main",
}


def told(event_type: str, payload: dict[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
    """One envelope for the user."""
    return {"meta": {"type": event_type, "user_id": USER, "bot": "main", **meta}, "payload": payload or {}}


async def draft(rest: Rest) -> Any:
    """The shop's draft of the user."""
    return (await rest.ask("GET", f"/v1/bots/main/users/{USER}/drafts/shop")).json()
