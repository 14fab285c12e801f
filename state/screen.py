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
