"""One event as a service writes it: ``{"meta": {...}, "payload": {...}}``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from routers.event import Event
from routers.events.event import ServiceEvent
from routers.vocabulary import EVENTS
from state.conversation import Conversation

#: One name for a user, a chat, a bot: Telegram's ids have at most 52 significant bits.
#: https://core.telegram.org/bots/api#user
TelegramId = Annotated[int, Field(ge=-(2**52), le=2**52)]
#: Opaque; those seen have fewer than 40 characters: https://core.telegram.org/bots/api#businessconnection
LONGEST_BUSINESS_ID: Final = 128
BusinessId = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_BUSINESS_ID)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]

#: Members of a payload that the gateway fills in itself.
_OURS: Final = frozenset({"type", "provider", "trace_id", "next_scene", "raw"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a message: *pointer* is a JSON pointer into it (RFC 6901)."""

    pointer: str
    problem: str


class Malformed(Exception):
    """A message that cannot be understood. It never carries a value of the message, only places and rules."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.problem}" for fault in faults))
        self.faults = tuple(faults)

    @classmethod
    def at(cls, pointer: str, problem: str) -> "Malformed":
        """Return the refusal of one place."""
        return cls([Fault(pointer, problem)])


class Meta(BaseModel):
    """Whom the event is for, and what kind it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

    type: Word
    """A word of ours (``payment.succeeded``), whose payload is checked, or any word of the service's."""
    user_id: TelegramId | None = None
    """The Telegram user. Either this or *token*."""
    bot: Word | None = None
    """The bot's name in the settings, or its id; may be left out where there is one bot."""
    chat_id: TelegramId | None = None
    """The chat, if it is not the private one."""
    thread_id: TelegramId | None = None
    business_connection_id: BusinessId | None = None
    """The connection to the business, if it is the chat of one that the bot serves."""
    token: Word | None = None
    """An expectation's token, which says the conversation."""
    next_scene: Word | None = Field(default=None, alias="__next_scene__")
    """The scene to enter with the payload, unless a handler of the event shows something else."""
    trace_id: Word | None = None
    occurred_at: AwareDatetime | None = None
    id: Word | None = None
    """The service's own id of the event: told twice under one id, it happens once."""
    object_id: Word | None = None
    """What the event is about (a payment, a booking), if the payload does not say so."""


class Message(BaseModel):
    """The envelope that REST and Redis Streams share."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    meta: Meta
    payload: dict[str, Any] = Field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the envelope as JSON: what the inbox keeps, whichever shape the service chose."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_none=True)


@dataclass(frozen=True, slots=True)
class Told:
    """A message in our words. *conversation* or *token* says whom it is for."""

    event: Event
    idempotency_key: str
    conversation: Conversation | None
    token: str | None


def read_message(raw: Any) -> Message:
    """
    Return the message that *raw*, parsed JSON, is.

    Raises:
        Malformed: it is not one.
    """
    try:
        return Message.model_validate(raw)
    except ValidationError as error:
        raise Malformed(_faults(error, ())) from None


def tell(
    message: Message,
    *,
    source: str,
    key: str,
    bots: Mapping[str, int],
    now: datetime,
    default_bot: str | None = None,
) -> Told:
    """
    Return what *message* of *source* means.

    *bots* are the bots by name and by id, *default_bot* the one of a message that names none; *key* is the
    idempotency key unless the message brings an id.

    Raises:
        Malformed: no such bot, nobody it is for, or a payload that does not fit its type.
    """
    meta = message.meta
    idempotency_key = meta.id or key
    if meta.token is None and meta.user_id is None:
        raise Malformed.at("/meta/user_id", "say whom the event is for: user_id, or token")
    return Told(
        event=_event(message, source, meta.object_id or idempotency_key, now),
        idempotency_key=idempotency_key,
        conversation=None if meta.token is not None else _conversation(meta, bots, default_bot),
        token=meta.token,
    )


def _conversation(meta: Meta, bots: Mapping[str, int], default_bot: str | None) -> Conversation | None:
    if meta.user_id is None:
        return None
    name = meta.bot or default_bot
    if name is not None:
        bot_id = bots.get(name)
    else:
        bot_id = next(iter(bots.values())) if len(set(bots.values())) == 1 else None
        if bot_id is None:
            raise Malformed.at("/meta/bot", "say which bot; this gateway has several")
    if bot_id is None:
        raise Malformed.at("/meta/bot", "no bot of that name or id is configured")
    chat_id = meta.chat_id if meta.chat_id is not None else meta.user_id
    return Conversation(bot_id, chat_id, meta.user_id, meta.thread_id, meta.business_connection_id)


def _event(message: Message, source: str, object_id: str, now: datetime) -> Event:
    meta = message.meta
    facts: dict[str, Any] = {
        "type": meta.type,
        "provider": source,
        "object_id": object_id,
        "occurred_at": meta.occurred_at or now,
        "trace_id": meta.trace_id,
        "next_scene": meta.next_scene,
    }
    model = EVENTS.get(meta.type)
    if model is None:
        return ServiceEvent(**facts, payload=message.payload)
    said = {name: value for name, value in message.payload.items() if name not in _OURS}
    try:
        return model.model_validate(facts | said)
    except ValidationError as error:
        raise Malformed(_faults(error, ("payload",))) from None


def _faults(error: ValidationError, under: tuple[str, ...]) -> list[Fault]:
    return [
        Fault(
            "".join(
                f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in (*under, *found["loc"])
            ),
            found["msg"],
        )
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    ]
