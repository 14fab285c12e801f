"""What a provider is to us: how it proves itself, what its calls mean, what it wants to hear."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from routers.call import Call
from routers.decision import Decision
from routers.event import Event, OtherEvent
from routers.inquiry import Inquiry
from routers.question import Question
from routers.sent import Sent
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


class Received(NamedTuple):
    """A call that is in the inbox, with all that a provider's answer can depend on."""

    call: Call
    translation: Translation
    secrets: Sequence[Secret]
    now: datetime


Translator = Callable[[Call, datetime], Translation]
"""Pure. Raises `routers.document.Unreadable` for a body that it does not understand, and nothing else."""

Asking = Callable[[Call, Sequence[Secret], datetime], Question | None]
"""Pure: what the provider's API must be asked about a call; None: nothing. Raises `Refused`."""

Signer = Callable[[bytes, bytes, datetime], Sequence[tuple[str, str]]]
"""(body, secret, at) to the headers that the provider would send with it."""

Decided = Callable[["Received", Decision], "Answer"]
"""Writes what the provider reads that has asked before it takes the money."""

Rewriter = Callable[[Sent, bytes, datetime, str], Sent]
"""(request, secret, at, public URL) to the request with its signature, wherever that stands."""


@dataclass(frozen=True, slots=True)
class Example:
    """The facts that a genuine example body is made of."""

    token: str
    at: datetime
    amount_minor: int = 4200
    currency: str = "EUR"
    object_id: str = ""
    event_id: str = ""


#: What most providers read: 200 and a few bytes.
RECEIVED: Final = Answer()


def plain_answer(_: Received) -> Answer:
    """Return what most providers read."""
    return RECEIVED


class Options(BaseModel):
    """What `[sources.<name>.options]` may say; a provider that takes any subclasses it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Proof(Enum):
    """What makes a call of a provider believed."""

    SIGNATURE = "signature"
    """A signature over what it says."""
    TOKEN = "token"  # noqa: S105 - a kind of proof
    """A secret that it shows. What it says is not signed: whoever learns the secret can say anything."""
    API = "api"
    """Nothing in the call itself: what it is about is asked of the provider's API."""


def as_it_is(secret: bytes) -> bytes:
    """Return *secret*: both sides hold the same one."""
    return secret


@dataclass(frozen=True, slots=True)
class Provider:
    """
    One kind of caller. Adding one is one file with a `PROVIDER` in `routers/payments/` or
    `routers/bookings/`.

    *remember_for* is how long the provider may repeat a call, and so how long its idempotency key is kept.
    *answer* writes what it reads as success, the same for a first call and its repeat.

    *decided* answers a `PaymentCheck`, which is not kept. *evidence* names what the API must be asked before
    a call can be verified (a key, a certificate), *lookup* what it must be asked afterwards, because the call
    itself only points to the facts. *inquiry* is what the API can be asked when no call comes.

    *build* makes the provider of one source out of its *options*; without it all sources are alike.

    *sign* (headers only) or *rewrite* (anything) and *examples* (by the provider's own type) make genuine
    calls for the demo, tests and the command line, with *example_options*. *example_key* makes a key that
    the sender may hold (None: any text does), *known_half* makes what we hold of it. *example_evidence* (by
    the sender's key) and *api_examples* are what the API would answer.
    """

    kind: str
    verify: Verifier
    translate: Translator
    remember_for: timedelta
    documentation: str
    answer: Callable[[Received], Answer] = plain_answer
    methods: frozenset[str] = frozenset({"POST"})
    proof: Proof = Proof.SIGNATURE
    decided: Decided | None = None
    evidence: Asking | None = None
    lookup: Asking | None = None
    inquiry: Inquiry | None = None
    options: type[Options] = Options
    build: Callable[[Any], "Provider"] | None = None
    sign: Signer | None = None
    rewrite: Rewriter | None = None
    examples: Mapping[str, Callable[[Example], bytes]] = field(default_factory=dict)
    api_examples: Mapping[str, Callable[[Example], bytes]] = field(default_factory=dict)
    example_options: Mapping[str, Any] = field(default_factory=dict)
    example_key: Callable[[], bytes] | None = None
    example_evidence: Callable[[bytes], bytes] | None = None
    known_half: Callable[[bytes], bytes] = as_it_is

    def configured(self, options: Mapping[str, Any]) -> "Provider":
        """
        The provider of a source with *options*.

        Raises:
            pydantic.ValidationError: they are not what this provider takes.
        """
        checked = self.options.model_validate(options)
        return self if self.build is None else self.build(checked)

    def signed(self, body: bytes, secret: bytes, at: datetime, *, url: str = "") -> Sent:
        """
        The request in which the provider would send *body* to *url*, signed with *secret*.

        Raises:
            LookupError: nobody can sign for this provider.
        """
        if self.rewrite is not None:
            return self.rewrite(Sent(body), secret, at, url)
        if self.sign is None:
            raise LookupError(f"nobody can sign for {self.kind}")
        return Sent(body, tuple(self.sign(body, secret, at)))


def idempotency_key(*parts: str) -> str:
    """The parts as one key of bounded length; a longer one is replaced by its digest."""
    key = ":".join(parts)
    return key if len(key) <= MAX_KEY_CHARS else digest_key(key.encode("utf-8", "surrogatepass"))


def digest_key(body: bytes) -> str:
    """A key for a call that names nothing to know it by: the digest of its bytes."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def unreadable(kind: str, call: Call, now: datetime) -> Translation:
    """An authentic call that nobody could translate: kept whole, under a name of its own."""
    key = digest_key(call.query + b"\n" + call.content)
    event = OtherEvent(type=f"{kind}.{OtherEvent.UNREADABLE}", provider=kind, object_id=key, occurred_at=now)
    return Translation(key, event)
