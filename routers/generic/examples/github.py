"""GitHub's deliveries: https://docs.github.com/en/webhooks/webhook-events-and-payloads."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any, Final
from uuid import UUID

import orjson

from routers.provider import Example

_REPOSITORY: Final = {"id": 1, "name": "rooms", "full_name": "example/rooms", "private": True}
_SENDER: Final = {"login": "ada", "id": 1, "type": "User"}


def _delivery(members: dict[str, Any]) -> bytes:
    return orjson.dumps({**members, "repository": _REPOSITORY, "sender": _SENDER})


def _ping(example: Example) -> bytes:
    hook = {"type": "Repository", "active": True, "events": ["*"]}
    return _delivery({"zen": example.token, "hook_id": 1, "hook": hook})


def _push(example: Example) -> bytes:
    at = example.at.astimezone(UTC).isoformat()
    sha = hashlib.sha1(example.token.encode(), usedforsecurity=False).hexdigest()
    commit = {"id": sha, "message": "Open more rooms", "timestamp": at}
    return _delivery({"ref": "refs/heads/main", "before": "0" * 40, "after": sha, "commits": [commit]})


def _repository_dispatch(example: Example) -> bytes:
    payload = {"token": example.token, "amount": example.amount_minor, "currency": example.currency}
    return _delivery({"action": "booked", "branch": "main", "client_payload": payload})


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "ping": _ping,
    "push": _push,
    "repository_dispatch": _repository_dispatch,
}
"""Some of GitHub's many types."""


def name_of(body: bytes) -> str:
    """The event that an example's *body* is of, which GitHub tells in a header."""
    members = orjson.loads(body) if body.startswith(b"{") else {}
    marks = {"zen": "ping", "ref": "push", "client_payload": "repository_dispatch"}
    return next((name for mark, name in marks.items() if mark in members), "ping")


def delivery_of(body: bytes) -> str:
    """An id for the delivery of *body*, the same for each repeat."""
    return str(UUID(bytes=hashlib.sha256(body).digest()[:16]))
