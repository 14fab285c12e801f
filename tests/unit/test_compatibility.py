"""What breaks callers is told; what only adds is not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.commands.compatibility import breaks
from gateway.commands.openapi import description
from gateway.commands.openapi import openapi as run
from gateway.refusal import CommandRefused

DRAFT = "/v1/bots/{bot}/users/{user}/drafts/{feature}"
STATE = "/v1/bots/{bot}/users/{user}/state"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def described() -> Document:
    """The description as it is."""
    parsed: Document = json.loads(description())
    return parsed


def _schema(document: Document, name: str) -> Document:
    schema: Document = document["components"]["schemas"][name]
    return schema


BREAKS: dict[str, tuple[Callable[[Document], object], str]] = {
    "path": (lambda d: d["paths"].pop(DRAFT), f"PATCH {DRAFT}: is gone"),
    "operation": (lambda d: d["paths"][DRAFT].pop("patch"), f"PATCH {DRAFT}: is gone"),
    "scope": (
        lambda d: d["paths"]["/v1/bots"]["get"].update(security=[{"ApiKey": ["all"]}]),
        "GET /v1/bots: needs another key or scope",
    ),
    "answer": (
        lambda d: d["paths"]["/v1/events"]["post"]["responses"].pop("202"),
        "POST /v1/events: never answers 202 any more",
    ),
    "media type": (
        lambda d: d["paths"]["/v1/events"]["post"]["requestBody"]["content"].pop("application/json"),
        "POST /v1/events: takes no application/json any more",
    ),
    "needed parameter": (
        lambda d: d["paths"]["/v1/bots"]["get"].update(
            parameters=[{"in": "query", "name": "page", "required": True, "schema": {"type": "integer"}}]
        ),
        "GET /v1/bots: needs the query parameter page",
    ),
    "lost parameter": (
        lambda d: d["paths"]["/v1/parked"]["get"].update(parameters=[]),
        "GET /v1/parked: knows no query parameter limit any more",
    ),
    "needed member": (
        lambda d: _schema(d, "StateChange").update(required=["state", "from"]),
        f"PUT {STATE}: body: needs from",
    ),
    "lost member of a body": (
        lambda d: _schema(d, "StateChange")["properties"].pop("from"),
        f"PUT {STATE}: body: takes no from any more",
    ),
    "lost member of an answer": (
        lambda d: _schema(d, "StateSet")["properties"].pop("revision"),
        f"PUT {STATE}: answer 200: revision is gone",
    ),
    "another type": (
        lambda d: _schema(d, "Bot")["properties"]["id"].update(type="string"),
        "GET /v1/bots: answer 200.bots[].id: is string, was integer",
    ),
}


@pytest.mark.parametrize("change", BREAKS)
def test_what_a_caller_can_no_longer_rely_on_is_told(described: Document, change: str) -> None:
    """One line, with the operation and the place."""
    after = copy.deepcopy(described)
    apply, line = BREAKS[change]
    apply(after)

    assert line in breaks(described, after)


def test_what_only_adds_breaks_nobody(described: Document) -> None:
    """New operations, parameters that may be left out, members of answers; and the same description."""
    after = copy.deepcopy(described)
    after["paths"]["/v1/new"] = after["paths"]["/v1/bots"]
    after["paths"]["/v1/bots"]["get"]["parameters"] = [{"in": "query", "name": "x", "schema": {}}]
    _schema(after, "Bot")["properties"]["alias"] = {"type": "string"}

    assert breaks(described, described) == []
    assert breaks(described, after) == []


def test_the_command_refuses_what_breaks_callers(tmp_path: Path, described: Document) -> None:
    """With each line; the description as it is breaks nobody of its own."""
    released = tmp_path / "released.json"
    released.write_text(json.dumps(described))
    assert run(output=None, check=None, released=released) == 0

    described["paths"]["/v1/gone"] = {"get": {"responses": {}}}
    released.write_text(json.dumps(described))
    with pytest.raises(CommandRefused) as refused:
        run(output=None, check=None, released=released)
    assert refused.value.problems == (f"{released}: GET /v1/gone: is gone",)
