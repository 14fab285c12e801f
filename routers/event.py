"""What a call means in our words: the models that features receive and the inbox stores."""

from collections.abc import Generator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from routers.exact_json import parse_exact
from routers.form import parse_form

#: Where an event keeps a body that has not been read yet. It is no field, and pydantic leaves it alone.
_BODY: Final = "_body"

RANK_STEP: Final = 10**14
"""
One level of a rank.

Below it is room for the progress within the level: an amount, a time in ms. Nine levels stay below 2**53, so
that Lua compares them exactly.
"""


class Customer(BaseModel):
    """What the provider says about the person. Hints only: user-editable, never proof of who it is."""

    model_config = ConfigDict(frozen=True)

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    timezone: str | None = None


class Event(BaseModel):
    """
    One fact, told by a provider.

    *object_id* is the provider's own id of what the fact is about (a payment, a booking): events that share
    it are steps of one thing. *raw* is the provider's body; it is not stored with the event but attached
    again from the envelope, and read when it is first asked for. *trace_id* and *next_scene* are what a
    service of your own may add: a mark for its logs and ours, and the scene to enter.
    """

    model_config = ConfigDict(frozen=True)

    repeats: ClassVar[bool] = False
    """It can happen to one object several times: events of the same rank and other ids are other facts."""

    type: str
    provider: str
    object_id: str
    occurred_at: datetime
    test_mode: bool = False
    customer: Customer = Customer()
    trace_id: str | None = None
    next_scene: str | None = None
    raw: Mapping[str, Any] = Field(default_factory=dict, exclude=True, repr=False)

    @property
    def rank(self) -> int | None:
        """
        Return how far the object has come.

        Of one object, only an event of a higher rank than before acts (one that `repeats`: of the same rank
        too); a repeat and a late one change nothing. None: the event has no place in such an order and
        always acts.
        """
        return None

    def encode(self) -> bytes:
        """Return the stored form: JSON without *raw*."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)

    def with_body(self, body: bytes) -> Self:
        """Return the same event with the provider's *body*, which becomes *raw* when that is asked for."""
        event = self.model_copy()
        event.__dict__.pop("raw", None)
        event.__dict__[_BODY] = body
        return event

    if not TYPE_CHECKING:
        # Only where no checker sees it, as pydantic's own: it would allow any name.
        def __getattr__(self, name: str) -> Any:
            if name == "raw" and _BODY in self.__dict__:
                return self._read().__dict__["raw"]
            return super().__getattr__(name)

    def __eq__(self, other: object) -> bool:
        # Whether one of them has been read yet makes no difference.
        return super(Event, self._read()).__eq__(other._read() if isinstance(other, Event) else other)

    def __iter__(self) -> Generator[tuple[str, Any], None, None]:  # noqa: PYI058 - pydantic's
        yield from super(Event, self._read()).__iter__()

    # Its body is a mapping.
    __hash__ = None  # type: ignore[assignment]  # says that it has none

    def _read(self) -> Self:
        """Return this event, its body read."""
        if _BODY in self.__dict__:
            self.__dict__["raw"] = raw_of(self.__dict__.pop(_BODY))
        return self


class Carried(bytes):
    """
    An event's stored form that still knows the *event*, for whoever handles it in the process that made it.

    What was read from the store is plain bytes.
    """

    event: Event

    @classmethod
    def of(cls, event: Event) -> Self:
        """Return the stored form of *event*."""
        carried = cls(event.encode())
        carried.event = event
        return carried


def raw_of(body: bytes) -> Mapping[str, Any]:
    """Return a provider's body as it came, if it is a JSON object or a form; otherwise nothing."""
    try:
        raw = parse_exact(body)
    except ValueError:
        try:
            return parse_form(body)
        except ValueError:
            return {}
    return raw if isinstance(raw, dict) else {}


class OtherEvent(Event):
    """A call that has no word of ours: its type is ``<provider>.<its own type>``; it is never dropped."""

    UNREADABLE: ClassVar[str] = "unreadable"
    """Type of an authentic call whose body could not be understood: ``<provider>.unreadable``."""
