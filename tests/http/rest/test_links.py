"""What an answer links to is there: each link of the description is followed, with what the answer says."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # the package carries no types

from tests.http.rest.conftest import Rest
from tests.http.rest.examples import METHODS, Example, document, examples
from tests.http.rest.prepared import prepared

OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, operations in document()["paths"].items()
    for method, operation in operations.items()
    if method in METHODS
}
#: The first example of each operation: whether a link holds does not depend on which body it was.
FIRST = {example.operation: example for example in reversed(list(examples()))}


def _links() -> Iterator[tuple[str, str]]:
    for name, (_, _, operation) in OPERATIONS.items():
        for answer in operation["responses"].values():
            yield from ((name, link["operationId"]) for link in answer.get("links", {}).values())


LINKS = sorted(_links())


def _value(expression: str, answer: Any, taken: Mapping[str, str]) -> str:
    """Evaluate a runtime expression: https://spec.openapis.org/oas/v3.1.0.html#runtime-expressions."""
    kind, _, place = expression.partition(
        "#" if expression.startswith("$response.body#") else "$request.path."
    )
    if not kind:
        return taken[place]
    assert kind == "$response.body"
    for step in place.removeprefix("/").split("/"):
        answer = answer[int(step)] if isinstance(answer, list) else answer[step]
    return str(answer)


def _path(template: str, parameters: Mapping[str, str]) -> str:
    """Put *parameters* where *template* names them; the others go into the query."""
    inside = {name: value for name, value in parameters.items() if f"{{{name}}}" in template}
    query = urlencode({name: value for name, value in parameters.items() if name not in inside})
    return template.format(**inside) + (f"?{query}" if query else "")


def _taken(example: Example) -> dict[str, str]:
    """What the example has where its path has parameters."""
    template = OPERATIONS[example.operation][1].split("/")
    pairs = zip(template, example.path.split("/"), strict=True)
    return {name.strip("{}"): value for name, value in pairs if name.startswith("{")}


@pytest.mark.parametrize("source, target", LINKS)
async def test_each_link_leads_to_what_was_made_or_listed(rest: Rest, source: str, target: str) -> None:
    """With success, and an answer of the described form."""
    example, (method, template, operation) = FIRST[source], OPERATIONS[target]
    # What a list is to show, and then what the first call itself needs.
    await prepared(rest, target)
    await prepared(rest, source)
    answer = await rest.ask(example.method, example.path, content=example.content, headers=example.headers)
    [link] = [
        link
        for link in example.responses[str(answer.status_code)]["links"].values()
        if link["operationId"] == target
    ]
    parameters = {
        name: _value(expression, answer.json(), _taken(example))
        for name, expression in link["parameters"].items()
    }

    followed = await rest.ask(method, _path(template, parameters))

    assert followed.is_success, followed.text
    described = operation["responses"][str(followed.status_code)].get("content", {}).get("application/json")
    if described is not None:
        schema = described["schema"] | {"components": document()["components"]}
        Draft202012Validator(schema).validate(followed.json())


def test_what_is_made_or_listed_links_to_what_can_be_done_with_it() -> None:
    """Lists lead to their first member, whatever is made to itself."""
    sources = {source for source, _ in LINKS}

    assert {
        name for name in OPERATIONS if name.startswith(("list_", "create_", "put_", "patch_", "query_"))
    } <= (sources)
