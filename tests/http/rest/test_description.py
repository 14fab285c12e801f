"""The description holds: whatever is sent, every answer is one that it names."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.commands.openapi import description
from tests.http.rest.conftest import Rest

#: It does not end by itself; of an answer that begins as it should, the beginning is read.
ENDLESS: Final = "/v1/stream"
#: Nothing in these calls can be told to be wrong: they take nothing, or any name and any body.
NEVER_WRONG: Final = {
    "GET /livez",
    "GET /readyz",
    "GET /v1/bots",
    "GET /webhooks/{source}",
    "POST /webhooks/{source}",
    "GET /webhooks/{source}/{secret}",
    "POST /webhooks/{source}/{secret}",
}
PER_OPERATION: Final = 8
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BOUNDED: Final = settings(
    max_examples=PER_OPERATION,
    stateful_step_count=8,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schemathesis.serializer("application/x-ndjson")
def lines(context: SerializationContext, value: Any) -> bytes:
    """A body of lines is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def described(rest: Rest) -> Any:
    """The description, narrowed to the bot that runs: any other name is a 404 and tells nothing."""
    document = json.loads(description())
    narrow = {"bot": {"const": "main"}, "state": {"enum": ["Shop:paying", "Shop:paid", None]}}
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["schema"] = narrow.get(parameter["name"], parameter["schema"])
    schemas = document["components"]["schemas"]
    # Which of its members fit together is told in words: left to chance, hardly any would.
    expected = schemas["ExpectationCall"]
    del expected["properties"]["booking"]
    expected["required"] = ["payment", "amount_minor", "currency"]
    for name in expected["required"]:
        expected["properties"][name] = expected["properties"][name]["anyOf"][0]
    for name in ("Meta", "Query", "StateChange"):
        properties = schemas[name]["properties"]
        properties.update({part: narrow[part] for part in narrow if part in properties})
    schemas["Meta"]["required"] = ["type", "user_id"]
    schemas["Meta"]["properties"].update(
        user_id={"enum": [501, 502]},
        type={"enum": ["shop.order", "shop.parcel", "shop.complaint", "nobody.cares"]},
        __next_scene__={"const": "shop"},
        token={"type": "null"},
    )
    load_all_checks()
    config = SchemathesisConfig.from_dict(
        {"base-url": str(rest.client.base_url).rstrip("/"), "generation": {"mode": "positive"}}
    )
    return schemathesis.openapi.from_dict(document, config=config)


def operations(schema: Any) -> Iterator[Any]:
    """Every operation."""
    for found in schema.get_all_operations():
        yield found.ok()


def walk(schema: Any, headers: dict[str, str], mode: GenerationMode) -> set[str]:
    """Call each operation with what *mode* makes; return which there were."""
    walked = set()
    for operation in operations(schema):
        if mode is GenerationMode.NEGATIVE and operation.label in NEVER_WRONG:
            continue
        walked.add(operation.label)

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: Case[Any]) -> None:
            hold(case, headers)

        check()
    return walked


def hold(case: Case[Any], headers: dict[str, str]) -> None:
    """Call, and hold the answer to the description; of one that does not end, its first line."""
    if case.operation.path != ENDLESS:
        case.call_and_validate(headers=headers, checks=CHECKS)
        return
    sent = case.as_transport_kwargs(headers=headers)
    with requests.Session() as session, session.request(**sent, stream=True, timeout=30) as answer:
        if answer.status_code == 200:
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert next(answer.iter_lines()) == b": watching"
        else:
            case.validate_response(answer, checks=CHECKS)


#: The gateway runs in the other thread, and spreads its retries by chance; hypothesis sees the dice move.
OTHERS_DICE: Final = pytest.mark.filterwarnings(
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)


@OTHERS_DICE
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "wrong"])
async def test_every_answer_is_one_that_the_description_names(rest: Rest, mode: GenerationMode) -> None:
    """No 5xx, and no status, header or body that is not described, for right calls and for wrong ones."""
    schema = described(rest)
    walked = await asyncio.to_thread(walk, schema, rest.headers, mode)

    left_out = {operation.label for operation in operations(schema)} - walked
    assert left_out == (NEVER_WRONG if mode is GenerationMode.NEGATIVE else set())


@OTHERS_DICE
async def test_what_an_answer_links_to_is_answered_as_described(rest: Rest) -> None:
    """What was made is read and cancelled, in whatever order."""
    linked = r"^(send|get)_event$|_expectation$"
    schema = described(rest).include(operation_id_regex=linked)
    headers = rest.headers
    answered: Counter[str] = Counter()

    class Machine(schema.as_state_machine()):  # type: ignore[misc]  # its class is made at run time
        """Walks the description's links."""

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            """Send the key."""
            return {"headers": headers}

        def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:
            """Hold each answer to the description."""
            answered[f"{case.operation.label} {response.status_code}"] += 1
            case.validate_response(response, checks=CHECKS)

    await asyncio.to_thread(Machine.run, settings=settings(BOUNDED, max_examples=15))

    assert answered["GET /v1/events/{event} 200"] > 0
    assert answered["GET /v1/expectations/{token} 200"] > 0
