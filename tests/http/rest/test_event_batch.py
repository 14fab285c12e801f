"""Many events of another service in one call: line by line."""

from typing import Any

import orjson

from tests.http.rest.conftest import USER, Rest
from tests.http.rest.shop_events import CLOUD_EVENT, draft, told


async def batch(rest: Rest, *lines: Any) -> Any:
    """Send a batch; return its results."""
    content = b"\n".join(each if isinstance(each, bytes) else orjson.dumps(each) for each in lines)
    answer = await rest.ask(
        "POST", "/v1/events:batch", content=content, headers={"Content-Type": "application/x-ndjson"}
    )
    assert answer.status_code == 200
    return answer.json()["results"]


async def test_each_line_of_a_batch_has_its_own_result(rest: Rest) -> None:
    """A line that is refused keeps no other out; blank lines are none."""
    results = await batch(
        rest,
        told("shop.order", {"item": "tea"}, id="a"),
        b"",
        b"{",
        {**CLOUD_EVENT, "data": {"note": "hot"}},
        told("shop.order", {"item": "coffee"}, id="a"),
        told("shop.order", {"item": "tea"}, id="a"),
        told("shop.order", {}, bot="other"),
    )
    await rest.settled()

    assert [each["line"] for each in results] == [1, 2, 3, 4, 5, 6]
    assert [each["status"] for each in results] == [202, 422, 202, 422, 202, 422]
    assert results[0]["id"] == results[4]["id"]
    assert results[3]["problem"]["type"] == "urn:fsm-gateway:problem:idempotency-key-reused"
    assert await draft(rest) == {"item": "tea", "note": "hot"}
    assert (await rest.ask("GET", f"/v1/events/{results[2]['id']}")).json()["standing"] == "applied"


async def test_the_events_of_one_user_in_a_batch_keep_their_order(rest: Rest) -> None:
    """What is for one conversation is stored line by line; more than a thousand are refused whole."""
    await rest.ask("PUT", f"/v1/bots/main/users/{USER}/state", json={"state": "Shop:paid"})
    lines = [told("shop.parcel", {"number": number}, id=str(number)) for number in range(40)]
    others = [told("nobody.cares", user_id=1000 + number) for number in range(259)]

    results = await batch(rest, *lines, *others, told("shop.parcel", {"number": 40}))
    await rest.settled()

    assert [each["status"] for each in results] == [202] * 300
    assert (await draft(rest))["parcels"] == list(range(41))
    content = b"\n".join([b"{}"] * 1001)
    too_many = await rest.ask("POST", "/v1/events:batch", content=content)
    assert too_many.status_code == 422
