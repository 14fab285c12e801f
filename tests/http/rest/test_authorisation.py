"""Who may do what: every operation against every scope, and against every key that opens nothing."""

import time

import httpx
import pytest
from redis.asyncio import Redis

from state.api_keys import Scope
from tests.http.rest.conftest import Rest
from tests.http.rest.examples import METHODS, Example, document, examples

EXAMPLES = list(examples())
#: Operations whose answer has nothing in it for a key of other bots; a batch has each line refused.
EMPTY = {"list_bots", "list_dead_letters", "list_parked", "list_unresolved", "stream", "send_events"}
#: Calls that name the bot.
NAMING = ("/bots/main", "conversations:query", "/v1/events")
NOW_MS = time.time_ns() // 1_000_000


async def status(rest: Rest, example: Example, headers: dict[str, str]) -> tuple[int, str]:
    """Call; return the status and the problem's type, without waiting for the end of a stream."""
    request = rest.client.build_request(
        example.method, example.path, content=example.content, headers=headers | example.headers
    )
    answer = await rest.client.send(request, stream=True)
    try:
        if not answer.is_error:
            return answer.status_code, ""
        await answer.aread()
        return answer.status_code, answer.json()["type"].rpartition(":")[2]
    finally:
        await answer.aclose()


def test_every_operation_under_v1_needs_a_key_with_one_scope() -> None:
    """None is left out of this matrix."""
    described = {
        operation["operationId"]
        for path, operations in document()["paths"].items()
        if path.startswith("/v1/")
        for method, operation in operations.items()
        if method in METHODS
    }

    assert described == {example.operation for example in EXAMPLES}
    assert {example.scope for example in EXAMPLES} <= {scope.value for scope in Scope}


async def test_each_operation_is_open_to_its_own_scope_alone(rest: Rest) -> None:
    """A key of any other scope, and of all others together, is told which one it lacks."""
    keys = {scope.value: await rest.key(scope) for scope in Scope}
    without = {scope.value: await rest.key(*(set(Scope) - {scope})) for scope in Scope}

    for example in EXAMPLES:
        for scope, headers in keys.items():
            found, problem = await status(rest, example, headers)
            assert (found == 403) is (scope != example.scope), (example.id, scope)
            assert found != 401
            assert problem == "forbidden" or found != 403
        assert (await status(rest, example, without[example.scope]))[0] == 403


async def test_no_operation_answers_without_a_usable_key(rest: Rest) -> None:
    """Not even what is wrong with the call: no key, an unknown, a revoked and an expired one, each alike."""
    revoked = await rest.key()
    await rest.keys.revoke(revoked["Authorization"].split("_")[1], now_ms=NOW_MS)
    tries = [{}, {"Authorization": "Bearer x"}, revoked, await rest.key(expires_at_ms=NOW_MS - 1)]

    for example in EXAMPLES:
        for headers in tries:
            assert await status(rest, example, headers) == (401, "unauthorized"), example.id
    for content in (b"{", b"x" * 100_000):
        broken = await rest.client.put("/v1/bots/main/users/501/state", content=content)
        assert broken.status_code == 401


async def test_a_key_of_another_bot_opens_nothing_of_this_one(rest: Rest) -> None:
    """Refused where the call names the bot; elsewhere there is nothing of it to be seen."""
    others = await rest.key(bots=frozenset({1}))

    for example in EXAMPLES:
        found, _ = await status(rest, example, others)
        if example.operation in EMPTY:
            assert found == 200, example.id
        elif any(part in example.path for part in NAMING) and example.operation != "get_event":
            assert found == 403, example.id
        else:
            assert found == 404, example.id
    assert await rest.scripts.calls.command("KEYS", "*:inbox") == []


@pytest.mark.parametrize("kind", ["none", "malformed", "unknown", "revoked", "expired"])
async def test_each_refusal_costs_the_same(rest: Rest, redis: Redis, kind: str) -> None:
    """One look into Redis and one comparison, so its time tells nothing."""
    good = rest.headers["Authorization"]
    revoked = await rest.key()
    await rest.keys.revoke(revoked["Authorization"].split("_")[1], now_ms=NOW_MS)
    headers = {
        "none": {},
        "malformed": {"Authorization": "Bearer nonsense"},
        "unknown": {"Authorization": "Bearer gwk_aaaaaaaaaaaa_" + "A" * 43},
        "revoked": revoked,
        "expired": await rest.key(expires_at_ms=NOW_MS - 1),
    }[kind]
    looks = []
    for _ in range(10):
        before = await _looks(redis)
        assert (await rest.client.get("/v1/bots", headers=headers)).status_code == 401
        looks.append(await _looks(redis) - before)

    # Once a second the gateway measures each partition, which looks into it too.
    assert min(looks) == 1
    assert isinstance(await rest.client.get("/v1/bots", headers={"Authorization": good}), httpx.Response)


async def _looks(redis: Redis) -> int:
    """How often a field of a hash was read; who has a draft or a timer reads otherwise."""
    return int((await redis.info("commandstats")).get("cmdstat_hget", {}).get("calls", 0))
