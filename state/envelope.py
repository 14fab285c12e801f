"""What the inbox keeps of one accepted call."""

from typing import NamedTuple, Self

from state.conversation import Conversation
from state.packing import pack, unpack


class Envelope(NamedTuple):
    """One accepted call, never changed after it was accepted."""

    source: str
    """The configured caller: ``stripe-eu``, ``calcom``, ``telegram:<bot_id>``."""
    type: str
    """What it means: ``payment.succeeded``, ``telegram.message``."""
    idempotency_key: str
    """Unique within the source; a second call that carries it changes nothing."""
    received_at_ms: int
    body: bytes
    """The body as it came, byte for byte."""
    event: bytes = b""
    """The translated event as JSON; empty for a Telegram update, whose body is the event."""
    conversation: Conversation | None = None
    """Where it belongs, if the call itself says so (Telegram, REST)."""
    token: str | None = None
    """An expectation's token that the call carries."""

    def pack(self) -> bytes:
        """Return the stored form; the conversation is kept beside it, by the inbox."""
        return pack(
            (
                self.source,
                self.type,
                self.idempotency_key,
                self.received_at_ms,
                self.body,
                self.event,
                self.token,
            )
        )

    @classmethod
    def unpack(cls, packed: bytes, conversation: Conversation | None) -> Self:
        """Return what ``pack`` stored, belonging to *conversation*."""
        source, type_, key, received_at_ms, body, event, token = unpack(packed)
        return cls(source, type_, key, received_at_ms, body, event, conversation, token)
