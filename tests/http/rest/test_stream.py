"""`GET /v1/stream`: what happens is told as it happens, and can be taken up where it broke off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # the package carries no types
from redis.asyncio import Redis

from state.api_keys import Scope
from tests.http.rest.conftest import USER, Rest
from tests.http.rest.examples import document

PATH = f"/v1/bots/main/users/{USER}/state"


class Watched:
    """An open stream, event by event."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> dict[str, Any]:
        """Return the next event: its id, name and data; comments are passed over."""
        event: dict[str, Any] = {}
        async with asyncio.timeout(10):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if not line and "data" in event:
                    return event
                if name in ("event", "id"):
                    event[name] = value
                elif name == "data":
                    event["data"] = orjson.loads(value)
        raise EOFError


@asynccontextmanager
async def watching(rest: Rest, headers: dict[str, str] | None = None, **query: Any) -> AsyncIterator[Watched]:
    """Look on from now on."""
    sent = {**rest.headers, **(headers or {})}
    async with rest.client.stream("GET", "/v1/stream", params=query, headers=sent) as response:
        watched = Watched(response)
        if response.status_code == 200:
            assert await anext(watched._lines) == ": watching"
        yield watched


async def set_state(rest: Rest, state: str | None, user: int = USER) -> None:
    """Move a user from outside."""
    answer = await rest.ask("PUT", f"/v1/bots/main/users/{user}/state", json={"state": state})
    assert answer.status_code == 200


async def test_a_transition_is_told_as_it_happens(rest: Rest) -> None:
    """Who, from where to where, and who did it."""
    async with watching(rest) as watched:
        await set_state(rest, "Shop:paying")
        event = await watched.next()

    assert event["event"] == "transition"
    assert (event["data"]["user"], event["data"]["from"], event["data"]["to"]) == (USER, None, "Shop:paying")
    assert event["data"]["source"].startswith("api:")


async def test_a_delivery_is_told_with_its_outcome(rest: Rest) -> None:
    """What Telegram was brought to show, and by which message."""
    async with watching(rest, kind="delivery") as watched:
        await rest.ask(
            "POST", f"/v1/bots/main/users/{USER}/scene", json={"scene": "shop", "payload": {"item": "tea"}}
        )
        event = await watched.next()

    assert event["event"] == "delivery"
    assert (event["data"]["did"], event["data"]["outcome"]) == ("show content", "done")
    assert event["data"]["verb"] == "sent"
    assert event["data"]["messages"][0].startswith(f"{USER}:")


async def test_filters_leave_out_the_rest(rest: Rest) -> None:
    """Of another user, or to another state."""
    async with watching(rest, user=USER, to="Shop:paid") as watched:
        await set_state(rest, "Shop:paid", user=777)
        await set_state(rest, "Shop:paying")
        await set_state(rest, "Shop:paid")
        event = await watched.next()

    assert (event["data"]["user"], event["data"]["to"]) == (USER, "Shop:paid")


async def test_it_goes_on_where_it_broke_off(rest: Rest) -> None:
    """`Last-Event-ID` brings what was missed, in order, and then what is new."""
    async with watching(rest, kind="transition") as watched:
        await set_state(rest, "Shop:paying")
        last = await watched.next()
    await set_state(rest, "Shop:paid")
    await set_state(rest, None)

    async with watching(rest, {"Last-Event-ID": last["id"]}, kind="transition") as watched:
        missed = [await watched.next(), await watched.next()]
        await set_state(rest, "Shop:paying")
        new = await watched.next()

    assert [event["data"]["to"] for event in (*missed, new)] == ["Shop:paid", None, "Shop:paying"]


async def test_a_key_for_one_bot_sees_no_other(rest: Rest) -> None:
    """Neither by asking for it nor by asking for all."""
    other = await rest.key(Scope.EVENTS_READ, bots=frozenset({7}))
    async with watching(rest, other, bot="main") as refused:
        pass
    async with watching(rest, other) as blind, watching(rest) as seeing:
        await set_state(rest, "Shop:paying")
        await seeing.next()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await blind.next()

    assert refused.response.status_code == 403


@pytest.mark.parametrize("place", ["x", "1-2", "1-2-zz", "-1-0-00", "1-0-00-0"])
async def test_a_place_that_is_none_is_refused_before_the_stream_begins(rest: Rest, place: str) -> None:
    """With a problem, not with a stream that breaks off."""
    async with watching(rest, {"Last-Event-ID": place}) as refused:
        await refused.response.aread()

    assert refused.response.status_code == 422
    assert refused.response.json()["type"].endswith("unreadable-last-event-id")


async def test_each_refusal_is_one_that_the_description_names(rest: Rest, redis: Redis) -> None:
    """Before the stream begins, as a whole answer: no key, no such bot, a wrong filter, and so on."""
    described = document()["paths"]["/v1/stream"]["get"]["responses"]
    problem = document()["components"]["schemas"]["Problem"]
    limited = await rest.key(Scope.EVENTS_READ, per_second=1)
    found = [
        await _refused(rest, {"Authorization": "Bearer nobody"}),
        await _refused(rest, await rest.key(Scope.EVENTS_WRITE)),
        await _refused(rest, rest.headers, bot="nobody"),
        await _refused(rest, rest.headers, user=0),
    ]
    many = await asyncio.gather(*(_refused(rest, limited, user=0) for _ in range(30)))
    found.append(next(answer for answer in many if answer.status_code == 429))
    await redis.config_set("maxmemory", 1)
    try:
        # Counting a limited key's calls is a write, which this Redis does not take now.
        found.append(await _refused(rest, limited))
    finally:
        await redis.config_set("maxmemory", 0)

    assert [answer.status_code for answer in found] == [401, 403, 404, 422, 429, 503]
    for answer in found:
        told = described[str(answer.status_code)]
        assert answer.headers["content-type"] in told["content"]
        assert all(name in answer.headers for name in told.get("headers", ()))
        Draft202012Validator(problem).validate(answer.json())


async def _refused(rest: Rest, headers: dict[str, str], **query: Any) -> httpx.Response:
    async with asyncio.timeout(30):
        return await rest.client.get("/v1/stream", params=query, headers=headers)
