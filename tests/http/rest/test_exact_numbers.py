"""What a service counts with integers of any size arrives as it was sent, by every door."""

import json
from typing import Any

import pytest

from routers.events.entry import read_entry
from tests.http.rest.conftest import USER, Rest

HUGE = {
    "just_over": 2**64,
    "below": -(2**63) - 1,
    "long": 10**200 + 7,
    "most": 2**64 - 1,
    "deep": [{"n": 2**70}],
}
ENVELOPE = {"meta": {"type": "shop.order", "user_id": USER}, "payload": HUGE}
ATTRIBUTES = {"specversion": "1.0", "id": "1", "source": "/s", "type": "shop.order", "userid": str(USER)}
DOORS: dict[str, tuple[str, Any, dict[str, str]]] = {
    "envelope": ("/v1/events", ENVELOPE, {"Content-Type": "application/json"}),
    "structured": (
        "/v1/events",
        {**ATTRIBUTES, "data": HUGE},
        {"Content-Type": "application/cloudevents+json"},
    ),
    "binary": ("/v1/events", HUGE, {f"ce-{name}": value for name, value in ATTRIBUTES.items()}),
    "batch": ("/v1/events:batch", ENVELOPE, {"Content-Type": "application/x-ndjson"}),
}


@pytest.mark.parametrize("door", DOORS)
async def test_an_integer_of_any_size_reaches_the_handler_as_it_was_sent(rest: Rest, door: str) -> None:
    """None becomes a float, whose 53 bits would round it."""
    path, body, headers = DOORS[door]

    answer = await rest.ask("POST", path, content=json.dumps(body), headers=headers)
    await rest.settled()

    assert answer.is_success, answer.text
    assert (await rest.ask("GET", f"/v1/bots/main/users/{USER}/drafts/shop")).json() == HUGE


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "1" * 400])
async def test_a_number_that_cannot_be_kept_is_refused(rest: Rest, number: str) -> None:
    """Rather than stored as something else."""
    body = json.dumps(ENVELOPE | {"payload": {"n": 0}}).replace('"n": 0', f'"n": {number}')

    answer = await rest.ask("POST", "/v1/events", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [""]


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "shop.order", "user_id": str(USER), "payload": json.dumps(HUGE)},
        {"meta": json.dumps(ENVELOPE["meta"]), "payload": json.dumps(HUGE)},
        {"event": json.dumps(ENVELOPE)},
        {**ATTRIBUTES, "data": json.dumps(HUGE)},
    ],
    ids=["flat", "envelope", "whole", "cloud event"],
)
def test_so_does_one_in_a_stream(fields: dict[str, str]) -> None:
    """In each shape that services write."""
    entry = {name.encode(): value.encode() for name, value in fields.items()}

    assert read_entry(entry).payload == HUGE
