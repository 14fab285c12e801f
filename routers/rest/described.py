"""Parts of the description that many operations share."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from routers.problems import MEDIA_TYPE

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}


def problem(description: str, *, retry: bool = False) -> dict[str, Any]:
    """Return the description of an answer that is a problem."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    described: dict[str, Any] = {"description": description, "content": content}
    return described | {"headers": _RETRY_AFTER} if retry else described


#: What every operation of ``/v1`` may answer.
ALWAYS: Final[Responses] = {
    400: problem("The body cannot be read"),
    401: problem("No key, or one that opens nothing: one answer for all of it"),
    403: problem("The key lacks the scope, or is for other bots"),
    413: problem("The body is over the limit"),
    415: problem("The body is compressed"),
    422: problem("The request is not valid; `errors` names each place by its JSON pointer"),
    429: problem("The key has used up its calls", retry=True),
    503: problem("The store did not answer, or the conversation changes too fast", retry=True),
}

ETAG: Final[dict[str, Any]] = {
    "ETag": {"description": "The conversation's revision, for If-Match", "schema": {"type": "string"}}
}


def leads_to(operation: str, **parameters: str) -> dict[str, Any]:
    """Return the description of a link: what of the answer's body is which parameter of another operation."""
    taken = {name: f"$response.body#{where}" for name, where in parameters.items()}
    return {operation: {"operationId": operation, "parameters": taken}}


def leads_on(*parameters: str, to: Sequence[str]) -> dict[str, Any]:
    """Return the description of links to operations whose *parameters* are those of the call's own path."""
    taken = {name: f"$request.path.{name}" for name in parameters}
    return {operation: {"operationId": operation, "parameters": taken} for operation in to}


NO_SUCH_BOT: Final[Responses] = {404: problem("No such bot is configured")}
CONDITION: Final[Responses] = {
    412: {**problem("A condition does not hold; `present` is what does"), "headers": ETAG}
}
