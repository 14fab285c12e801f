"""One conversation as it is now, as JSON."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, Field, JsonValue

from routers.rest.api import Api
from state import fields
from state.conversation import Conversation
from state.screen import BlockName, ShownBlock
from state.snapshot import Fields


class Place(BaseModel):
    """Which conversation it is."""

    bot: int
    user: int
    chat: int
    thread: int | None
    business: str | None = None


class Block(BaseModel):
    """A message of the screen."""

    chat: int
    message: int
    sent_at: AwareDatetime


class ConversationView(BaseModel):
    """One conversation."""

    bot: int = Field(examples=[42])
    user: int = Field(examples=[501])
    chat: int = Field(examples=[501])
    thread: int | None = None
    business: str | None = Field(default=None, description="The business connection; null: none")
    state: str | None = Field(description="None: no state", examples=["Shop:paying"])
    revision: int = Field(description="Grows with each change; 0: there is nothing", examples=[7])
    drafts: dict[str, dict[str, JsonValue]] = Field(description="Each feature's draft")
    data: dict[str, JsonValue] = Field(description="The rest of the FSM data")
    screen: dict[str, Block] = Field(description="What the chat shows now: `menu` and `content`")


@dataclass(frozen=True, slots=True)
class Present:
    """What is stored of one conversation."""

    conversation: Conversation
    stored: Fields

    @classmethod
    async def read(cls, api: Api, conversation: Conversation) -> Self:
        """
        Read the whole conversation.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        return cls(conversation, (await api.storage.reading.read(conversation)).fields)

    @property
    def revision(self) -> int:
        """How often it has changed; 0: there is nothing."""
        return int(self.stored.get(fields.REVISION, b"0"))

    @property
    def state(self) -> str | None:
        """Its state."""
        stored = self.stored.get(fields.STATE)
        return stored.decode() if stored is not None else None

    def draft(self, feature: str) -> dict[str, Any]:
        """One feature's draft."""
        return fields.read_draft(self.stored, feature)

    def view(self) -> dict[str, Any]:
        """Return it in the form of `ConversationView`."""
        data: dict[str, Any] = {}
        drafts: dict[str, Any] = {}
        for key, value in fields.read_data(self.stored).items():
            if key.startswith(fields.DRAFT) and isinstance(value, dict):
                drafts[key.removeprefix(fields.DRAFT)] = value
            else:
                data[key] = value
        return {
            **place(self.conversation),
            "state": self.state,
            "revision": self.revision,
            "drafts": drafts,
            "data": data,
            "screen": self._screen(),
        }

    def _screen(self) -> dict[str, Any]:
        screen: dict[str, Any] = {}
        for name in BlockName:
            packed = self.stored.get(name.field.encode())
            if packed is not None:
                block = ShownBlock.unpack(packed)
                screen[name.value] = {
                    "chat": block.chat_id,
                    "message": block.message_id,
                    "sent_at": moment(block.sent_at_ms),
                }
        return screen


def place(conversation: Conversation) -> dict[str, Any]:
    """Return which conversation it is."""
    return {
        "bot": conversation.bot_id,
        "user": conversation.user_id,
        "chat": conversation.chat_id,
        "thread": conversation.thread_id,
        "business": conversation.business_connection_id,
    }


def moment(at_ms: int) -> str:
    """Return a time in ms as JSON has it (RFC 3339)."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
