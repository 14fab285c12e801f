"""The description's own examples, as calls."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.commands.openapi import description

METHODS: Final = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True)
class Example:
    """One call that the description shows."""

    operation: str
    method: str
    path: str
    scope: str
    responses: dict[str, Any]
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    name: str = ""

    @property
    def id(self) -> str:
        """Its name in a test's report."""
        return f"{self.operation}-{self.name}" if self.name else self.operation


def document() -> dict[str, Any]:
    """The description."""
    parsed: dict[str, Any] = json.loads(description())
    return parsed


def examples() -> Iterator[Example]:
    """Every example of every operation that needs a key; one without a body has none to show."""
    schemas = document()["components"]["schemas"]
    for path, operations in document()["paths"].items():
        for method in METHODS:
            operation = operations.get(method)
            if operation is None or "ApiKey" not in operation.get("security", [{}])[0]:
                continue
            told = {
                "operation": operation["operationId"],
                "method": method.upper(),
                "path": _filled(path, operation),
                "scope": operation["security"][0]["ApiKey"][0],
                "responses": operation["responses"],
            }
            bodies = list(_bodies(operation, schemas))
            if not bodies:
                yield Example(**told)
            for name, kind, content in bodies:
                yield Example(**told, content=content, headers={"Content-Type": kind}, name=name)


def _filled(path: str, operation: dict[str, Any]) -> str:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            shown = parameter.get("example", parameter["schema"].get("examples", [None])[0])
            path = path.replace("{" + parameter["name"] + "}", str(shown))
    return path


def _bodies(operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[tuple[str, str, bytes]]:
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        schema = media.get("schema", {})
        if "examples" in media:
            found = {name: shown["value"] for name, shown in media["examples"].items()}
        elif "examples" in schema:
            found = {str(number): shown for number, shown in enumerate(schema["examples"])}
        else:
            found = {"": _of_properties(schemas[schema["$ref"].rpartition("/")[2]])}
        for name, value in found.items():
            yield name, kind, value.encode() if isinstance(value, str) else json.dumps(value).encode()


def _of_properties(schema: dict[str, Any]) -> dict[str, Any]:
    """The object that the examples of a schema's properties make."""
    return {name: shown["examples"][0] for name, shown in schema["properties"].items() if "examples" in shown}
