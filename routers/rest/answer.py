"""Answers: JSON as exact as what is stored, the revision as ETag."""

import json
from typing import Annotated, Any, Final

import orjson
from fastapi import Header
from starlette.responses import Response

from routers.problems import Problem, pointer
from routers.rest.present import Present

#: How `If-Match` names the revision that a change was computed from.
IfMatch = Annotated[
    str | None,
    Header(
        pattern=r'^"(0|[1-9][0-9]{0,15})"$',
        description="The ETag that the change was computed from; with another one nothing is changed",
        examples=['"7"'],
    ),
]


def answer(
    content: Any, status: int = 200, *, revision: int | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Return *content* as JSON; integers of any size stay what they are."""
    named = dict(headers or {})
    if revision is not None:
        named["ETag"] = f'"{revision}"'
    return Response(to_json(content), status, headers=named, media_type="application/json")


def nothing(*, revision: int | None = None) -> Response:
    """Return that it is done and there is nothing to say."""
    return Response(status_code=204, headers={} if revision is None else {"ETag": f'"{revision}"'})


def to_json(content: Any) -> bytes:
    """Return *content* as JSON text."""
    try:
        return orjson.dumps(content)
    except TypeError:
        return json.dumps(content).encode()


def revision_of(if_match: str | None) -> int | None:
    """Return the revision that an ``If-Match`` of the documented form names."""
    return int(if_match[1:-1]) if if_match is not None else None


#: A list is read page by page, each from where the one before has ended.
CURSOR: Final = Problem(
    "unreadable-cursor",
    422,
    "The cursor is none of a page before",
    extra={"errors": [{"pointer": pointer("cursor"), "problem": "is none of a page before"}]},
)


def precondition_failed(present: Present, detail: str) -> Problem:
    """A condition of the call does not hold; here is what holds instead."""
    return Problem(
        "precondition-failed",
        412,
        "The conversation is not as the call expects",
        detail,
        headers={"ETag": f'"{present.revision}"'},
        extra={"present": present.view()},
    )
