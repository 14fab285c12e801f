"""Keys of other services: closed without one, each way to fail answered alike."""

import time

from redis.asyncio import Redis

from state.api_keys import Scope
from tests.http.rest.conftest import Rest

NOW_MS = time.time_ns() // 1_000_000


async def test_without_any_key_nothing_is_open(rest: Rest, redis: Redis) -> None:
    """No key configured: closed, as problem details."""
    await redis.delete(rest.keys._keys.api_keys)

    for headers in ({}, rest.headers):
        answer = await rest.client.get("/v1/bots", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_all_refusals_of_keys_look_alike(rest: Rest) -> None:
    """Nobody learns from outside whether a key exists, is over or was taken back."""
    good = rest.headers["Authorization"]
    revoked = await rest.key()
    assert await rest.keys.revoke(revoked["Authorization"].split("_")[1], now_ms=NOW_MS)
    expired = await rest.key(expires_at_ms=NOW_MS - 1)
    tries = [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": good + "x"},
        {"Authorization": good[:-1] + ("A" if good[-1] != "A" else "B")},
        {"Authorization": good.replace("Bearer", "Basic")},
        {"Authorization": "Bearer gwk_aaaaaaaaaaaa_" + "A" * 43},
        revoked,
        expired,
    ]

    answers = [await rest.client.get("/v1/bots", headers=headers) for headers in tries]

    assert {(answer.status_code, answer.content) for answer in answers} == {
        (401, answers[0].content),
    }
    assert (await rest.client.get("/v1/bots", headers=rest.headers)).status_code == 200


async def test_a_key_does_only_what_its_scopes_say(rest: Rest) -> None:
    """403 names the scope that it lacks: its holder is known and may be told."""
    answer = await rest.client.get("/v1/bots", headers=await rest.key(Scope.EVENTS_WRITE))

    assert answer.status_code == 403
    assert answer.json()["detail"] == "It lacks the scope state:read."


async def test_a_key_for_one_bot_sees_that_one(rest: Rest) -> None:
    """The others are not even listed."""
    theirs = await rest.key(bots=frozenset({rest.bot_id}))
    others = await rest.key(bots=frozenset({1}))

    assert (await rest.client.get("/v1/bots", headers=theirs)).json() == {
        "bots": [{"name": "main", "id": rest.bot_id}]
    }
    assert (await rest.client.get("/v1/bots", headers=others)).json() == {"bots": []}


async def test_a_key_may_be_limited_in_calls_a_second(rest: Rest) -> None:
    """More are asked to come again, and nobody else's key is held back."""
    limited = await rest.key(per_second=2)

    answers = [await rest.client.get("/v1/bots", headers=limited) for _ in range(6)]

    statuses = [answer.status_code for answer in answers]
    # The six may stretch over two seconds, hence over two allowances.
    assert statuses[:2] == [200, 200]
    assert 2 <= statuses.count(429) <= 4
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["retry-after"] == "1"
    assert (await rest.client.get("/v1/bots", headers=rest.headers)).status_code == 200


async def test_what_is_stored_of_a_key_opens_nothing(rest: Rest, redis: Redis) -> None:
    """Redis has the digest alone: neither the text nor its secret stands anywhere in it."""
    text = rest.headers["Authorization"].removeprefix("Bearer ")
    secret = text.split("_", 2)[2].encode()

    stored = await redis.hgetall(rest.keys._keys.api_keys)

    assert len(stored) == 1
    assert all(secret not in value for value in stored.values())
    assert [key.name for key in await rest.keys.all()] == ["office"]


async def test_another_sites_page_gets_no_leave_to_read(rest: Rest) -> None:
    """Cross-origin calls of browsers are off: no answer carries a header that allows them."""
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}

    asked = await rest.client.options("/v1/bots", headers=origin)
    answer = await rest.client.get("/v1/bots", headers=rest.headers | origin)

    assert asked.status_code == 405
    assert "access-control-allow-origin" not in {**asked.headers, **answer.headers}


async def test_a_body_over_the_limit_is_refused(rest: Rest) -> None:
    """The limit holds for every operation, before anything is made of the body."""
    answer = await rest.ask("GET", "/v1/bots", content=b"x" * (64 * 1024 + 1))

    assert (answer.status_code, answer.json()["type"]) == (413, "urn:fsm-gateway:problem:body-too-large")
