"""Events of other services over REST: kept once, handled like any other, asked after by their id."""

from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from state.api_keys import Scope
from state.conversation import Conversation
from state.expectations import Expectation, mint
from state.history import History
from tests.http.rest.conftest import USER, Rest
from tests.http.rest.shop_events import CLOUD_EVENT, ORDER, draft, told
from tests.waiting import wait_until

WAIT = {"Prefer": "wait=10"}


async def test_an_event_is_stored_handled_and_asked_after(rest: Rest) -> None:
    """202 with its address; there, what became of it and what it changed."""
    sent = await rest.ask("POST", "/v1/events", json=ORDER)
    await rest.settled()
    asked = await rest.ask("GET", sent.headers["location"])

    assert sent.status_code == 202
    found = asked.json()
    assert (found["id"], found["standing"], found["reason"]) == (sent.json()["id"], "applied", None)
    assert found["accepted_at"] <= found["ended_at"]
    assert found["conversation"]["user"] == USER
    assert found["change"] == {
        "from": None,
        "to": "Shop:paying",
        "revision": (await rest.ask("GET", f"/v1/bots/main/users/{USER}")).json()["revision"],
        "drafts": {"shop": ["item"]},
        "did": ["show content"],
    }
    assert rest.api.chats[USER].texts() == ["Ordered"]


async def test_who_waits_is_answered_with_the_outcome(rest: Rest) -> None:
    """Within the time of `Prefer: wait`; what has not ended by then is answered 202 as without it."""
    ended = await rest.ask("POST", "/v1/events", json=ORDER, headers=WAIT)
    parked = await rest.ask(
        "POST", "/v1/events", json=told("shop.parcel", {"number": 1}), headers={"Prefer": "wait=0"}
    )

    assert (ended.status_code, ended.headers["preference-applied"]) == (200, "wait=10")
    assert (ended.json()["standing"], ended.json()["change"]["to"]) == ("applied", "Shop:paying")
    assert parked.status_code == 202


async def test_a_repeat_under_one_key_gets_the_same_answer_and_happens_once(rest: Rest) -> None:
    """The same key with another body is refused, whichever conversation that names."""
    key = {"Idempotency-Key": "order-1"}
    answers = [await rest.ask("POST", "/v1/events", json=ORDER, headers=key) for _ in range(3)]
    other = await rest.ask("POST", "/v1/events", json=told("shop.order", {"item": "coffee"}), headers=key)
    elsewhere = await rest.ask("POST", "/v1/events", json=told("shop.order", {}, user_id=7), headers=key)
    await rest.settled()

    assert {(each.status_code, each.content) for each in answers} == {(202, answers[0].content)}
    assert {each.headers["location"] for each in answers} == {answers[0].headers["location"]}
    for refused in (other, elsewhere):
        assert refused.status_code == 422
        assert refused.json()["type"] == "urn:fsm-gateway:problem:idempotency-key-reused"
    assert await draft(rest) == {"item": "tea"}
    account = await History(rest.scripts.calls, rest.scripts.keys).of(Conversation.private(rest.bot_id, USER))
    assert len(account.transitions) == 1


async def test_keys_of_two_services_do_not_meet(rest: Rest) -> None:
    """Each has its own; a service's next key of the same name is the same service."""
    key = {"Idempotency-Key": "1"}
    first = await rest.ask("POST", "/v1/events", json=ORDER, headers=key)
    shop = await rest.client.post("/v1/events", json=ORDER, headers={**await rest.key(name="shop"), **key})
    next_key = await rest.client.post(
        "/v1/events", json=ORDER, headers={**await rest.key(name="office"), **key}
    )

    assert first.json() != shop.json()
    assert first.json() == next_key.json()


async def test_without_a_key_each_call_is_an_event(rest: Rest) -> None:
    """Nobody but the caller can tell a repeat from a second order."""
    first, second = [await rest.ask("POST", "/v1/events", json=ORDER) for _ in range(2)]

    assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize("mode", ["structured", "binary"])
async def test_a_cloud_event_is_the_same_event(rest: Rest, mode: str) -> None:
    """Its source and id are its idempotency key; the handler cannot tell the shapes apart."""
    if mode == "structured":
        request: dict[str, Any] = {
            "content": orjson.dumps({**CLOUD_EVENT, "data": {"item": "tea"}}),
            "headers": {"Content-Type": "application/cloudevents+json; charset=utf-8"} | WAIT,
        }
    else:
        attributes = {f"ce-{name}": value for name, value in CLOUD_EVENT.items()}
        request = {"json": {"item": "tea"}, "headers": attributes | WAIT}

    answers = [await rest.ask("POST", "/v1/events", **request) for _ in range(2)]

    assert [each.json()["standing"] for each in answers] == ["applied"] * 2
    assert answers[0].json() == answers[1].json()
    assert await draft(rest) == {"item": "tea"}


async def test_a_word_of_the_gateways_own_is_checked_and_handled_as_such(rest: Rest) -> None:
    """A payment that a service tells of reaches the handler of every payment."""
    wrong = await rest.ask("POST", "/v1/events", json=told("payment.succeeded", {"amount_minor": -1}))
    right = await rest.ask(
        "POST",
        "/v1/events",
        json=told("payment.succeeded", {"amount_minor": 4200, "currency": "EUR"}),
        headers=WAIT,
    )

    assert wrong.status_code == 422
    assert {each["pointer"] for each in wrong.json()["errors"]} == {
        "/payload/amount_minor",
        "/payload/currency",
    }
    assert right.json()["change"]["to"] == "Shop:paid"
    assert await draft(rest) == {"paid_minor": 4200, "payments": 1}


async def test_an_event_may_name_the_scene_to_enter(rest: Rest) -> None:
    """With its payload, where no handler takes the event; one that there is not is refused at the door."""
    unknown = await rest.ask("POST", "/v1/events", json=told("crm.offer", {}, __next_scene__="nowhere"))
    entered = await rest.ask(
        "POST", "/v1/events", json=told("crm.offer", {"item": "cake"}, __next_scene__="shop"), headers=WAIT
    )
    await rest.settled()

    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/meta/__next_scene__")
    assert entered.json()["change"]["to"] == "Shop:browsing"
    assert rest.api.chats[USER].texts() == ["For sale: cake"]


async def test_every_way_to_stand_is_told(rest: Rest) -> None:
    """Applied, ignored, parked, unresolved and dead, each with what there is to say."""
    conversation = Conversation.private(rest.bot_id, USER)
    token = mint(rest.scripts.keys.partition_of(conversation))
    sent = {
        "applied": ORDER,
        "ignored": told("nobody.cares"),
        "parked": told("shop.parcel", {"number": 1}),
        "dead": told("shop.complaint"),
        "unresolved": {"meta": {"type": "shop.order", "token": token}, "payload": {"item": "cake"}},
    }
    paths = {
        standing: (await rest.ask("POST", "/v1/events", json=body)).headers["location"]
        for standing, body in sent.items()
    }

    async def standings() -> dict[str, Any]:
        return {name: (await rest.ask("GET", path)).json() for name, path in paths.items()}

    async def as_expected() -> bool:
        return all(name == found["standing"] for name, found in (await standings()).items())

    await wait_until(as_expected, description="each stands as it should", seconds=30)
    found = await standings()
    assert found["ignored"]["reason"] == "no handler of nobody.cares"
    assert found["dead"]["reason"] == "not expected in state Shop:paying"
    assert (found["unresolved"]["conversation"], found["unresolved"]["ended_at"]) == (None, None)

    unit = await rest.storage.unit_of_work(conversation)
    unit.expect(Expectation(token, "", "payment", "cake"))
    unit.set_state("Shop:paid")
    await rest.storage.commit(unit)

    async def both_applied() -> bool:
        now = await standings()
        return {now[name]["standing"] for name in ("parked", "unresolved")} == {"applied"}

    await wait_until(both_applied, description="the parked and the resolved one are applied", seconds=30)


async def test_an_event_that_never_was_is_not_known(rest: Rest) -> None:
    """Nor is one of a bot that the key is not for."""
    sent = await rest.ask("POST", "/v1/events", json=ORDER, headers=WAIT)
    others = await rest.key(Scope.EVENTS_READ, bots=frozenset({1}))

    for path, headers in (("/v1/events/00-1-1", rest.headers), (sent.headers["location"], others)):
        answer = await rest.client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:fsm-gateway:problem:unknown-event")


async def test_a_key_for_certain_bots_sends_to_no_other(rest: Rest) -> None:
    """Neither by name nor by a token, behind which any bot may stand."""
    others = await rest.key(bots=frozenset({1}))

    for body in (ORDER, {"meta": {"type": "shop.order", "token": mint(0)}, "payload": {}}):
        assert (await rest.client.post("/v1/events", json=body, headers=others)).status_code == 403


@pytest.mark.parametrize(
    "content, kind, status, pointer",
    [
        (b"", "application/json", 422, ""),
        (b"{", "application/json", 422, ""),
        (b"[]", "application/json", 422, ""),
        (b'{"meta":{"type":"x"}}', "application/json", 422, "/meta/user_id"),
        (b'{"meta":{"user_id":1}}', "application/json", 422, "/meta/type"),
        (b'{"meta":{"type":"x","user_id":1,"bot":"other"}}', "application/json", 422, "/meta/bot"),
        (b'{"meta":{"type":"x","user_id":1},"payload":[]}', "application/json", 422, "/payload"),
        (b'{"specversion":"1.0"}', "application/cloudevents+json", 422, "/id"),
        (b"type=x", "application/x-www-form-urlencoded", 415, None),
        (b"{}", "", 415, None),
    ],
)
async def test_what_is_no_event_is_refused_at_its_place(
    rest: Rest, content: bytes, kind: str, status: int, pointer: str | None
) -> None:
    """A stable type, and the JSON pointer of the place."""
    answer = await rest.ask(
        "POST", "/v1/events", content=content, headers={"Content-Type": kind} if kind else {}
    )

    assert answer.status_code == status
    if pointer is not None:
        assert answer.json()["type"] == "urn:fsm-gateway:problem:invalid-event"
        assert answer.json()["errors"][0]["pointer"] == pointer


async def test_an_event_is_durable_or_asked_for_again(rest: Rest, redis: Redis) -> None:
    """While Redis takes no writes: 503 with Retry-After, for one event and for a batch."""
    await redis.config_set("maxmemory", 1)
    try:
        single = await rest.ask("POST", "/v1/events", json=ORDER)
        many = await rest.ask("POST", "/v1/events:batch", content=orjson.dumps(ORDER))
    finally:
        await redis.config_set("maxmemory", 0)

    assert (single.status_code, many.status_code) == (503, 503)
    assert min(int(single.headers["retry-after"]), int(many.headers["retry-after"])) >= 1
    assert await rest.scripts.calls.command("KEYS", "*:inbox") == []
