"""A provider's API that a running bot asks, and a bot that waits for money."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway import Feature
from routers.event import Event
from routers.provider import Example
from state.expectations import Expectation
from tests.unit.calls import genuine, registered


@dataclass
class Api:
    """A stand-in for the providers' APIs: it answers what it is given, and writes down how it was asked."""

    url: str = ""
    answers: list[Any] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        """The next answer; the last one stays."""
        self.asked.append(request)
        self.bodies.append(await request.body())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return JSONResponse(answer) if not isinstance(answer, int) else Response(status_code=answer)


class Shop:
    """A bot that waits for money."""

    def __init__(self) -> None:
        self.feature = Feature("shop")
        self.heard: list[tuple[str, str]] = []
        for event_type in ("payment.succeeded", "payment.authorized", "payment.failed", "payment.mismatched"):
            self.feature.on(event_type)(self._hear)

    async def _hear(self, event: Event, expectation: Expectation) -> None:
        self.heard.append((expectation.name, event.type))


def fact(kind: str, own_type: str, token: str) -> dict[str, Any]:
    """What the provider's API says of the example that carries *token*."""
    sent = genuine(registered()[kind], own_type, Example(token, datetime.now(UTC)))
    found: dict[str, Any] = orjson.loads(sent.content)
    return found
