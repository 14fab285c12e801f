"""What must be there before an operation's example can be answered with success."""

from typing import Any

from state.expectations import mint
from tests.http.rest.conftest import USER, Rest
from tests.waiting import wait_until

HOME = f"/v1/bots/main/users/{USER}"
TEA = {"payment": "tea", "amount_minor": 4200, "currency": "EUR"}
#: What is sent, and how it then stands, so that there is one of these.
MADE: dict[str, tuple[str, dict[str, Any]]] = {
    "event": ("applied", {"type": "shop.order", "user_id": USER}),
    "dead_letter": ("dead", {"type": "shop.complaint", "user_id": USER}),
    "parked": ("parked", {"type": "shop.parcel", "user_id": USER}),
    "unresolved": ("unresolved", {"type": "shop.order", "token": mint(3)}),
}


async def prepared(rest: Rest, operation: str) -> str | None:
    """Make what *operation* is about; return its id, which no example can know."""
    before = "Shop:paying" if operation in {"put_state", "query_conversations"} else None
    await rest.ask("PUT", f"{HOME}/state", json={"state": before})
    verb, _, noun = operation.partition("_")
    if verb in {"list", "create", "send"}:
        return None
    if noun == "expectation":
        return str((await rest.ask("POST", f"{HOME}/expectations", json=TEA)).json()["token"])
    if noun not in MADE:
        return None
    standing, meta = MADE[noun]
    event = await _sent(rest, standing, meta)
    return event if noun == "event" else await _first(rest, noun)


async def _sent(rest: Rest, standing: str, meta: dict[str, Any]) -> str:
    event = str((await rest.ask("POST", "/v1/events", json={"meta": meta})).json()["id"])

    async def stands() -> bool:
        return bool((await rest.ask("GET", f"/v1/events/{event}")).json()["standing"] == standing)

    await wait_until(stands, description=f"the event is {standing}", seconds=30)
    return event


async def _first(rest: Rest, kind: str) -> str:
    path = "dead-letters" if kind == "dead_letter" else kind
    return str((await rest.ask("GET", f"/v1/{path}")).json()["events"][0]["id"])
