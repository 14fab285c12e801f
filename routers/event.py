"""What a call means in our words: the models that features receive and the inbox stores."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field

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
    again from the envelope. *trace_id* and *next_scene* are what a service of your own may add: a mark for
    its logs and ours, and the scene to enter.
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

    def with_raw(self, raw: Mapping[str, Any]) -> Self:
        """Return the same event with the provider's body attached."""
        return self.model_copy(update={"raw": raw})


class OtherEvent(Event):
    """A call that has no word of ours: its type is ``<provider>.<its own type>``; it is never dropped."""

    UNREADABLE: ClassVar[str] = "unreadable"
    """Type of an authentic call whose body could not be understood: ``<provider>.unreadable``."""
