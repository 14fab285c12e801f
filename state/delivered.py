"""What Telegram was brought to do to a chat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from state.packing import pack, unpack


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one effect at Telegram."""

    deed: str
    """``show content``, ``call SendMessage``."""
    outcome: str
    """``done``, ``refused`` or ``dropped``."""
    cause: str | None = None
    verb: str | None = None
    """``sent``, ``edited`` or ``deleted``; None: nothing of the kind."""
    messages: Sequence[str] = ()
    """The messages that it was done to, each as ``chat:message``."""

    def pack(self) -> bytes:
        """Return it as record.lua keeps it."""
        return pack((self.deed, self.outcome, self.cause, self.verb, list(self.messages)))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        return cls(*unpack(packed))
