"""What the description shows works: each example is sent, and its answer is as described."""

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # the package carries no types

from tests.http.rest.conftest import Rest
from tests.http.rest.examples import Example, document, examples
from tests.http.rest.prepared import prepared

EXAMPLES = list(examples())
#: The answer of this one does not end: it is answered when it begins as it should.
ENDLESS = "stream"


async def test_each_example_is_answered_as_it_is_described(rest: Rest) -> None:
    """With success, and a body of the described form."""
    components = document()["components"]
    for example in EXAMPLES:
        made = await prepared(rest, example.operation)
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
