"""Dead letters, parked and unresolved events over REST."""

from typing import Any

from state.expectations import mint
from tests.http.rest.conftest import USER, Rest
from tests.waiting import wait_until

HOME = f"/v1/bots/main/users/{USER}"


async def _sent(rest: Rest, event_type: str, standing: str, **more: Any) -> str:
    """Send an event and wait until it stands so; return its address."""
    body = {"meta": {"type": event_type, "user_id": USER, "bot": "main"}, "payload": {"number": 1}} | more
    path = str((await rest.ask("POST", "/v1/events", json=body)).headers["location"])

    async def stands() -> bool:
        return bool((await rest.ask("GET", path)).json()["standing"] == standing)

    await wait_until(stands, description=f"the event is {standing}", seconds=30)
    return path


async def _listed(rest: Rest, kind: str, **query: Any) -> Any:
    answer = await rest.ask("GET", f"/v1/{kind}", params=query)
    assert answer.status_code == 200
    return answer.json()["events"]


async def test_a_dead_letter_is_listed_shown_replayed_and_discarded(rest: Rest) -> None:
    """With its reason; a replay is an event again, under the id that its sender has."""
    path = await _sent(rest, "shop.complaint", "dead")
    [letter] = await _listed(rest, "dead-letters", source="api:office", reason="not expected")
    assert (letter["type"], letter["reason"]) == ("shop.complaint", "not expected in state None")
    assert await _listed(rest, "dead-letters", type="other") == []

    shown = (await rest.ask("GET", f"/v1/dead-letters/{letter['id']}")).json()
    assert '"number":1' in shown["body"]
    assert shown["attempts"] == 1

    replay = await rest.ask("POST", f"/v1/dead-letters/{letter['id']}/replay")
    again = await rest.ask("POST", f"/v1/dead-letters/{letter['id']}/replay")
    assert (replay.status_code, again.status_code) == (204, 404)

    async def died_again() -> bool:
        return len(await _listed(rest, "dead-letters")) == 1

    await wait_until(died_again, description="it has died again", seconds=30)
    assert (await rest.ask("GET", path)).json()["standing"] == "dead"
    [letter] = await _listed(rest, "dead-letters")
    assert (await rest.ask("DELETE", f"/v1/dead-letters/{letter['id']}")).status_code == 204
    assert await _listed(rest, "dead-letters") == []


async def test_a_parked_event_is_listed_looked_at_again_and_discarded(rest: Rest) -> None:
    """Discarding makes a dead letter of it: nothing vanishes by a slip of the hand."""
    await _sent(rest, "shop.parcel", "parked")
    [parked] = await _listed(rest, "parked")
    assert parked["until"] > parked["kept_since"]

    assert (await rest.ask("POST", f"/v1/parked/{parked['id']}/replay")).status_code == 204

    async def parked_again() -> bool:
        return [each["id"] for each in await _listed(rest, "parked")] == [parked["id"]]

    await wait_until(parked_again, description="it is parked again", seconds=30)
    assert (await rest.ask("DELETE", f"/v1/parked/{parked['id']}")).status_code == 204
    assert await _listed(rest, "parked") == []
    assert [each["reason"] for each in await _listed(rest, "dead-letters")] == ["discarded"]


async def test_an_unresolved_event_is_listed_and_discarded(rest: Rest) -> None:
    """As a dead letter it has no home to be replayed to."""
    await _sent(rest, "shop.order", "unresolved", meta={"type": "shop.order", "token": mint(3)})
    [kept] = await _listed(rest, "unresolved")
    assert kept["conversation"] is None
    assert (await rest.ask("GET", f"/v1/unresolved/{kept['id']}")).json()["id"] == kept["id"]

    assert (await rest.ask("DELETE", f"/v1/unresolved/{kept['id']}")).status_code == 204
    [letter] = await _listed(rest, "dead-letters")
    homeless = await rest.ask("POST", f"/v1/dead-letters/{letter['id']}/replay")
    assert (homeless.status_code, homeless.json()["type"]) == (409, "urn:fsm-gateway:problem:homeless")


async def test_they_are_listed_page_by_page(rest: Rest) -> None:
    """Each once, the newest first."""
    for _ in range(5):
        await _sent(rest, "shop.complaint", "dead")

    found: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await rest.ask("GET", "/v1/dead-letters", params=params)).json()
        found += [each["kept_since"] for each in page["events"]]
        cursor = page["cursor"]
    assert (len(found), cursor) == (5, None)
    assert found == sorted(found, reverse=True)


async def test_a_key_of_other_bots_sees_none_of_them(rest: Rest) -> None:
    """Neither in a list nor by an id that it has heard of."""
    await _sent(rest, "shop.complaint", "dead")
    await _sent(rest, "shop.order", "unresolved", meta={"type": "shop.order", "token": mint(3)})
    [letter] = await _listed(rest, "dead-letters")
    others = await rest.key(bots=frozenset({1}))

    for kind in ("dead-letters", "unresolved"):
        assert (await rest.client.get(f"/v1/{kind}", headers=others)).json()["events"] == []
    for method in ("GET", "DELETE"):
        answer = await rest.client.request(method, f"/v1/dead-letters/{letter['id']}", headers=others)
        assert answer.status_code == 404
    assert len(await _listed(rest, "dead-letters")) == 1
