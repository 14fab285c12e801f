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
    """Where a block stands in the chat now."""

    chat_id: int
    message_id: int
    sent_at_ms: int

    def pack(self) -> bytes:
        return pack((self.chat_id, self.message_id, self.sent_at_ms))

    @classmethod
    def unpack(cls, packed: bytes) -> "ShownBlock":
        return cls(*unpack(packed))


def place_of(chat_id: int, message_id: int) -> str:
    """Return the name of a message among the garbage: ``chat:message``."""
    return f"{chat_id}:{message_id}"


def parse_place(place: str) -> tuple[int, int]:
    """Return the chat and the message that *place* names."""
    chat_id, _, message_id = place.partition(":")
    return int(chat_id), int(message_id)
