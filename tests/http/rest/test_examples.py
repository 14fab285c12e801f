"""What the description shows works: each example is sent, and its answer is as described."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # the package carries no types

from state.expectations import mint
from tests.http.rest.conftest import USER, Rest
from tests.http.rest.examples import Example, document, examples
from tests.waiting import wait_until

EXAMPLES = list(examples())
#: The answer of this one does not end: it is answered when it begins as it should.
ENDLESS = "stream"
HOME = f"/v1/bots/main/users/{USER}"
TEA = {"payment": "tea", "amount_minor": 4200, "currency": "EUR"}
#: What is sent, and how it then stands, so that there is one of these.
MADE: dict[str, tuple[str, dict[str, Any]]] = {
    "event": ("applied", {"type": "shop.order", "user_id": USER}),
    "dead_letter": ("dead", {"type": "shop.complaint", "user_id": USER}),
    "parked": ("parked", {"type": "shop.parcel", "user_id": USER}),
    "unresolved": ("unresolved", {"type": "shop.order", "token": mint(3)}),
}


async def _prepared(rest: Rest, operation: str) -> str | None:
    """Make what *operation* is about; return its id, which no example can know."""
    before = "Shop:paying" if operation == "put_state" else None
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


async def test_each_example_is_answered_as_it_is_described(rest: Rest) -> None:
    """With success, and a body of the described form."""
    components = document()["components"]
    for example in EXAMPLES:
        made = await _prepared(rest, example.operation)
        path = _with_id(example.path, made) if made is not None else example.path
        headers = example.headers
        if example.operation == ENDLESS:
            await _begins(rest, path, example)
            continue
        answer = await rest.ask(example.method, path, content=example.content, headers=headers)

        assert answer.is_success, (example.id, answer.text)
        described = example.responses[str(answer.status_code)].get("content", {}).get("application/json")
        if described is None:
            assert answer.content == b"", example.id
        else:
            schema = described["schema"] | {"components": components}
            Draft202012Validator(schema).validate(answer.json())


async def _begins(rest: Rest, path: str, example: Example) -> None:
    async with rest.client.stream(example.method, path, headers=rest.headers) as answer:
        [kind] = example.responses[str(answer.status_code)]["content"]
        assert answer.headers["content-type"].startswith(kind)
        assert await anext(answer.aiter_lines()) == ": watching"


def _with_id(path: str, made: str) -> str:
    """Put the id where the example has one that nobody knows."""
    head, found, tail = path.partition("/2a-1795000000000-0")
    if not found:
        head, found, tail = path.partition("/0b" + "a" * 24)
    return f"{head}/{made}{tail}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_every_operation_has_what_a_caller_copies(example: Example) -> None:
    """No placeholder is left in a path, and who sends a body is shown one."""
    assert "{" not in example.path
    assert "None" not in example.path
    assert example.method not in {"PUT", "PATCH"} or example.content
