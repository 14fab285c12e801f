"""The messages that a conversation shows: one for each block, edited in place."""

from dataclasses import dataclass
from enum import Enum

from state.packing import pack, unpack


class BlockName(Enum):
    """The blocks of a screen."""

    MENU = "menu"
    CONTENT = "content"

    @property
    def field(self) -> str:
        """The conversation's field that remembers this block's message."""
        return f"v:{self.value}"


@dataclass(frozen=True, slots=True)
class ShownBlock:
    """Where a block stands in the chat now, and what kind of message it is."""

    chat_id: int
    message_id: int
    sent_at_ms: int
    media: str | None = None
    """``photo:<file>`` or ``document:<file>``; None: a text."""
    thread_id: int | None = None
    """The topic that it stands in."""

    def pack(self) -> bytes:
        return pack((self.chat_id, self.message_id, self.sent_at_ms, self.media, self.thread_id))

    @classmethod
    def unpack(cls, packed: bytes) -> "ShownBlock":
        return cls(*unpack(packed))

    @property
    def place(self) -> str:
        """The name of its message among the garbage."""
        return place_of(self.chat_id, self.message_id)


def place_of(chat_id: int, message_id: int) -> str:
    """Return the name of a message among the garbage: ``chat:message``."""
    return f"{chat_id}:{message_id}"


def parse_place(place: str) -> tuple[int, int]:
    """Return the chat and the message that *place* names."""
    chat_id, _, message_id = place.partition(":")
    return int(chat_id), int(message_id)
