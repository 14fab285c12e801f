"""What a provider is to us: how it proves itself, what its calls mean, what it wants to hear."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from routers.call import Call
from routers.event import Event, OtherEvent
from routers.verification import Secret, Verifier

MAX_KEY_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Translation:
    """
    One call in our words.

    *idempotency_key* is the same for every repeat of this call and unique within its source; *token* is the
    expectation's token that travelled through the provider.
    """

    idempotency_key: str
    event: Event
    token: str | None = None

    @property
    def object_key(self) -> str:
        """What later calls about the same object share, those without a token too."""
        return f"{self.event.provider}:{self.event.object_id}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider reads as "received"."""

    body: bytes = b'{"received":true}'
    status: int = 200
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Received:
    """A call that is in the inbox, with all that a provider's answer can depend on."""

    call: Call
    translation: Translation
    secrets: Sequence[Secret]
    now: datetime


Translator = Callable[[Call, datetime], Translation]
"""Pure. Raises `routers.document.Unreadable` for a body that it does not understand, and nothing else."""

Signer = Callable[[bytes, bytes, datetime], Sequence[tuple[str, str]]]
"""(body, secret, at) to the headers that the provider would send with it."""


@dataclass(frozen=True, slots=True)
class Example:
    """The facts that a genuine example body is made of."""

    token: str
    at: datetime
    amount_minor: int = 4200
    currency: str = "EUR"
    object_id: str = ""
    event_id: str = ""


def plain_answer(_: Received) -> Answer:
    """Return what most providers read: 200 and a few bytes."""
    return Answer()


@dataclass(frozen=True, slots=True)
class Provider:
    """
    One kind of caller. Adding one is one file with a `PROVIDER` in `routers/payments/` or
    `routers/bookings/`.

    *remember_for* is how long the provider may repeat a call, and so how long its idempotency key is kept.
    *answer* writes what it reads as success, the same for a first call and its repeat. *sign* and *examples*
    (by the provider's own type) make genuine calls, for the demo, tests and the command line.
    """

    kind: str
    verify: Verifier
    translate: Translator
    remember_for: timedelta
    documentation: str
    answer: Callable[[Received], Answer] = plain_answer
    sign: Signer | None = None
    examples: Mapping[str, Callable[[Example], bytes]] = field(default_factory=dict)


def idempotency_key(*parts: str) -> str:
    """The parts as one key of bounded length; a longer one is replaced by its digest."""
    key = ":".join(parts)
    return key if len(key) <= MAX_KEY_CHARS else digest_key(key.encode("utf-8", "surrogatepass"))


def digest_key(body: bytes) -> str:
    """A key for a call that names nothing to know it by: the digest of its bytes."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def unreadable(kind: str, call: Call, now: datetime) -> Translation:
    """An authentic call that nobody could translate: kept whole, under a name of its own."""
    key = digest_key(call.query + b"\n" + call.body)
    event = OtherEvent(type=f"{kind}.{OtherEvent.UNREADABLE}", provider=kind, object_id=key, occurred_at=now)
    return Translation(key, event)
