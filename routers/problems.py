"""Every refusal as problem details (RFC 9457), with types that stay."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from state.errors import Overloaded, StoreUnavailable

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:fsm-gateway:problem:"


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One problem. *slug* names it for machines and does not change; *detail* never holds what a caller sent or
    why a signature did not fit.
    """

    slug: str
    status: int
    title: str
    detail: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the members of the JSON object."""
        members: dict[str, Any] = {
            "type": TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status,
        }
        if self.detail is not None:
            members["detail"] = self.detail
        return {**members, **self.extra}

    def response(self) -> Response:
        """Return the HTTP response that says so."""
        return Response(
            orjson.dumps(self.body()), self.status, headers=dict(self.headers), media_type=MEDIA_TYPE
        )


class Rejected(Exception):
    """A request that ends as *problem*."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.slug)
        self.problem = problem


UNAUTHORIZED: Final = Problem(
    "unauthorized",
    401,
    "The call is not authorized",
    # One answer for an unknown source and for every way in which a signature can fail.
    "There is no such endpoint for this caller, or the call does not prove who sent it.",
    headers={"WWW-Authenticate": "Webhook"},
)
BODY_TOO_LARGE: Final = Problem("body-too-large", 413, "The body is over the endpoint's limit")
BODY_COMPRESSED: Final = Problem("body-compressed", 415, "Compressed bodies are not taken")
HEADERS_TOO_LARGE: Final = Problem("headers-too-large", 431, "The headers are over the limit")
BODY_INCOMPLETE: Final = Problem("body-incomplete", 400, "The body ended early")
NOT_AN_UPDATE: Final = Problem(
    "not-an-update", 422, "The body is not an update", "Expected one JSON object with an update_id."
)
NOT_READY: Final = Problem("not-ready", 503, "The gateway is starting", headers={"Retry-After": "1"})
INTERNAL: Final = Problem("internal", 500, "The gateway failed", "The failure is in its log.")

#: Both close the connection, whose rest would be read as the next request.
TOO_SLOW: Final = Problem(
    "too-slow", 408, "The request did not come whole in time", headers={"Connection": "close"}
)
TOOK_TOO_LONG: Final = Problem(
    "took-too-long",
    503,
    "The event was not stored in time",
    "Please send it again; if it was stored after all, it counts once.",
    headers={"Retry-After": "1", "Connection": "close"},
)
DRAINING: Final = Problem(
    "draining",
    503,
    "This process is about to stop",
    "Nothing was kept. Please send it again, to another process.",
    headers={"Retry-After": "1", "Connection": "close"},
)


def too_many_calls(retry_after_seconds: float) -> Problem:
    """The source sends more than it may."""
    return Problem(
        "too-many-calls",
        429,
        "The source is over its rate",
        "Nothing was kept of it. Please send it again.",
        headers={"Retry-After": str(math.ceil(retry_after_seconds))},
    )


def not_now(error: StoreUnavailable) -> Problem:
    """Nothing was stored; why, as far as a caller may know."""
    if not isinstance(error, Overloaded):
        return unavailable(error.retry_after_seconds)
    return Problem(
        "overloaded",
        503,
        "More events are owed than may be",
        "Nothing was kept of it. Please send it again.",
        headers={"Retry-After": str(error.retry_after_seconds)},
    )


def unavailable(retry_after_seconds: int) -> Problem:
    """Nothing was stored, and it makes sense to come again."""
    return Problem(
        "store-unavailable",
        503,
        "The event could not be stored",
        "Nothing was kept of it. Please send it again.",
        headers={"Retry-After": str(max(1, retry_after_seconds))},
    )


def store_unavailable(retry_after_seconds: int) -> Problem:
    """Redis did not answer; a change was made whole or not at all, and can be asked for again."""
    return Problem(
        "store-unavailable",
        503,
        "The store did not answer",
        "What was to be changed is changed whole or not at all. Please ask again.",
        headers={"Retry-After": str(max(1, retry_after_seconds))},
    )


API_UNAVAILABLE: Final = Problem(
    "provider-unavailable",
    503,
    "The provider's API could not be asked about the call",
    "Nothing was kept of it. Please send it again.",
    headers={"Retry-After": "10"},
)


def install(app: FastAPI) -> None:
    """Make *app* answer its own refusals (404, 405, 422, 500) as problem details too."""

    async def rejected(_: Request, error: Exception) -> Response:
        problem = error.problem if isinstance(error, Rejected) else INTERNAL
        return problem.response()

    async def http_error(_: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return INTERNAL.response()
        phrase = HTTPStatus(error.status_code).phrase
        detail = error.detail if error.detail != phrase else None
        slug = phrase.lower().replace(" ", "-").replace("'", "")
        return Problem(slug, error.status_code, phrase, detail, error.headers or {}).response()

    async def invalid(_: Request, error: Exception) -> Response:
        errors = error.errors() if isinstance(error, RequestValidationError) else ()
        # The place and the rule, never the value: it may be a secret.
        places = [{**_place(item["loc"]), "problem": item["msg"]} for item in errors]
        return Problem(
            "invalid-request", 422, "The request is not valid", extra={"errors": places}
        ).response()

    async def store_away(_: Request, error: Exception) -> Response:
        if isinstance(error, Overloaded):
            return not_now(error).response()
        seconds = error.retry_after_seconds if isinstance(error, StoreUnavailable) else 1
        return store_unavailable(seconds).response()

    async def failed(_: Request, __: Exception) -> Response:
        return INTERNAL.response()

    app.add_exception_handler(Rejected, rejected)
    app.add_exception_handler(StoreUnavailable, store_away)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, failed)


def pointer(*steps: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of a place in a body."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def _place(location: Sequence[str | int]) -> dict[str, str]:
    """Where a rule is broken: a JSON pointer into the body, or the name of a parameter."""
    part, *steps = location
    if part == "body":
        return {"pointer": pointer(*steps)}
    return {"parameter": ".".join(str(step) for step in steps), "in": str(part)}
