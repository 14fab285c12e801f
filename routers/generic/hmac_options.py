"""What `gateway.toml` says of a source of kind `hmac`: how it signs, where its facts are, what they mean."""

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from routers.event import Event
from routers.generic.selection import Expression
from routers.provider import Options
from routers.vocabulary import EVENTS

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Unit = Literal["minor", "major"]

#: Fields of events that have a place of their own in the options, or that nobody may claim.
_GIVEN: Final = frozenset(Event.model_fields) | {"amount_minor", "expected_amount_minor", "expected_currency"}


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PairsOptions(Part):
    """A header like ``t=1700000000,v1=<signature>``."""

    separator: Literal[",", ";", " "] = ","
    timestamp: str = Field(default="t", min_length=1, max_length=32)
    signature: str = Field(default="v1", min_length=1, max_length=32)


class SignatureOptions(Part):
    scheme: Literal["hmac", "standardwebhooks"] = "hmac"
    header: HeaderName | None = None
    algorithm: Literal["sha256", "sha512", "sha1", "md5"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    key: Literal["text", "hex", "base64", "sha256_of_text"] = "text"
    prefix: str | None = Field(default=None, min_length=1, max_length=64)
    pairs: PairsOptions | None = None
    signed: str = "{body}"
    timestamp_header: HeaderName | None = None
    id_header: HeaderName | None = None
    tolerance_seconds: int | None = Field(default=None, ge=1, le=86_400)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problem = self._standard_problem() if self.scheme == "standardwebhooks" else self._problem()
        if problem is not None:
            raise ValueError(problem)
        return self

    def _standard_problem(self) -> str | None:
        others = sorted(self.model_fields_set - {"scheme"})
        return f"standardwebhooks settles {', '.join(others)}; remove it" if others else None

    def _problem(self) -> str | None:
        names = re.findall(r"\{(\w*)\}", self.signed)
        unknown = sorted(set(names) - {"body", "timestamp", "id", "url"})
        rest = re.sub(r"\{\w*\}", "", self.signed)
        checks = (
            (self.header is None, "needs header, the name of the header that holds the signature"),
            (
                self.prefix is not None and self.pairs is not None,
                "has prefix and pairs; a header has one form",
            ),
            ("{" in rest or "}" in rest, "signed: has a brace without its other half"),
            (
                bool(unknown),
                f"signed: does not know {', '.join(unknown)}; possible are body, timestamp, id, url",
            ),
            ("body" not in names, "signed: must hold {body}, or nothing binds the body to the signature"),
            (
                "timestamp" in names and self.timestamp_header is None and self.pairs is None,
                "signed: holds {timestamp}; say where it comes from with timestamp_header or pairs",
            ),
            ("id" in names and self.id_header is None, "signed: holds {id}; say where it is with id_header"),
            (
                self.tolerance_seconds is not None and "timestamp" not in names,
                "tolerance_seconds needs a signed time; put {timestamp} into signed",
            ),
        )
        return next((problem for wrong, problem in checks if wrong), None)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class ReadOptions(Part):
    format: Literal["json", "form"] = "json"
    type: Expression | None = None
    type_header: HeaderName | None = None
    """Headers are not signed: whoever catches a call can send it again under another type."""
    id: Expression | None = None
    """The provider's id of the call, the same for each repeat. Without: its bytes' digest."""
    object: Expression | None = None
    """What the call is about; calls about one thing share it."""
    token: Annotated[tuple[Expression, ...], BeforeValidator(_as_list)] = ()
    """Where the expectation's token may be; the first that has a token's form counts."""
    time: Expression | None = None
    amount: Expression | None = None
    currency: Expression | None = None
    unit: Unit = "minor"
    customer: dict[Literal["name", "email", "phone", "locale", "timezone"], Expression] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _has_a_type(self) -> Self:
        if (self.type is None) == (self.type_header is None):
            raise ValueError("needs one of type (JMESPath into the body) and type_header")
        return self


class MappedEvent(BaseModel):
    """One of the sender's types as one of our events; further keys are fields of that event."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)
    __pydantic_extra__: dict[str, Expression]

    event: str
    amount: Expression | None = None
    currency: Expression | None = None
    unit: Unit | None = None

    @model_validator(mode="after")
    def _is_an_event_of_ours(self) -> Self:
        if self.event not in MAPPABLE:
            raise ValueError(f"event: is not an event; possible are {', '.join(sorted(MAPPABLE))}")
        fields = sorted(set(EVENTS[self.event].model_fields) - _GIVEN)
        unknown = sorted(set(self.__pydantic_extra__) - set(fields))
        if unknown:
            raise ValueError(
                f"{unknown[0]}: is not a field of {self.event}; possible are {', '.join(fields) or 'none'}"
            )
        return self


#: A mismatch is found by us, never told by a sender.
MAPPABLE: Final = frozenset(EVENTS) - {"payment.mismatched"}


def _as_event(value: Any) -> Any:
    return {"event": value} if isinstance(value, str) else value


class HmacOptions(Options):
    provider: str = Field(default="hmac", pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    """How events name the sender: ``<provider>.<its own type>`` where there is no word of ours."""
    signature: SignatureOptions
    read: ReadOptions
    events: dict[str, Annotated[MappedEvent, BeforeValidator(_as_event)]] = Field(default_factory=dict)
    remember_days: int = Field(default=31, ge=1, le=366)
    """Longer than the sender repeats a call."""
    answer: str | None = Field(default=None, max_length=1000)
    """What the sender wants to read as success; without: a few bytes of JSON. The status is 200."""

    @model_validator(mode="after")
    def _money_is_told(self) -> Self:
        for own_type, mapped in self.events.items():
            if not mapped.event.startswith("payment."):
                continue
            if (mapped.amount or self.read.amount) is None or (mapped.currency or self.read.currency) is None:
                raise ValueError(
                    f"events.{own_type}: {mapped.event} is about money; say where amount and currency are, "
                    "here or under read"
                )
        return self
