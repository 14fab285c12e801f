"""What one chat is owed, in its order, and how far its delivery is."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from state.conversation import Conversation
from state.outbox import EffectKind, OutboxEntry


@dataclass(slots=True)
class Lane:
    """The effects of one chat, delivered one after the other."""

    entries: deque[OutboxEntry] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    calling: bool = False
    """A call to Telegram is under way, or its answer is being recorded."""
    failures: int = 0
    """How often in a row Telegram did not take the first entry."""
    uncertain: bool = False
    """The first entry may have sent a message of which no answer came."""
    has_turn: bool = False
    """The bot's budget has let this lane go, and it has not gone yet."""
    came_back: bool = False
    """It has had a turn before and could not use it: the chat was not ready."""

    @property
    def superseded(self) -> bool:
        """A newer view of the same block waits behind the first entry."""
        first = self.entries[0]
        if first.effect.kind is not EffectKind.SHOW:
            return False
        return any(
            later is not first
            and later.effect.kind is EffectKind.SHOW
            and later.conversation == first.conversation
            and later.effect.payload["block"] == first.effect.payload["block"]
            # A view that wants new messages must not be lost to one that only edits.
            and (later.effect.payload.get("anew") or not first.effect.payload.get("anew"))
            for later in self.entries
        )


#: Calls that make a message or change one: what Telegram's limits are about.
SENDING = ("Send", "Forward", "Copy", "Edit")


def lane_of(entry: OutboxEntry) -> tuple[int, int, bool]:
    """Return which lane *entry* belongs to. The answer to a pressed button does not wait for the chat."""
    conversation = entry.conversation
    return conversation.bot_id, conversation.chat_id, is_answer(entry)


def is_answer(entry: OutboxEntry) -> bool:
    """Tell whether *entry* answers a query, which ends in seconds and is no message."""
    return entry.effect.kind is EffectKind.CALL and entry.effect.payload["method"].startswith("Answer")


def target_of(entry: OutboxEntry) -> Conversation | None:
    """
    Return a conversation of the chat that *entry* is about: mostly its own.

    A call may be about another chat, an administrator's say, and an answer to a query is about none.
    """
    if entry.effect.kind is not EffectKind.CALL:
        return entry.conversation
    chat_id = entry.effect.payload["arguments"].get("chat_id")
    if chat_id == entry.conversation.chat_id:
        return entry.conversation
    bot_id = entry.conversation.bot_id
    return Conversation(bot_id, chat_id, chat_id) if isinstance(chat_id, int) else None


def names_its_chat(entry: OutboxEntry) -> bool:
    """Tell whether *entry* goes to a chat by its name, ``@channel``, so that we do not know which it is."""
    return entry.effect.kind is EffectKind.CALL and isinstance(
        entry.effect.payload["arguments"].get("chat_id"), str
    )


def counts_as_send(entry: OutboxEntry) -> bool:
    """Tell whether Telegram's limits count *entry*."""
    match entry.effect.kind:
        case EffectKind.SHOW | EffectKind.NOTICE:
            return True
        case EffectKind.CALL:
            return bool(entry.effect.payload["method"].startswith(SENDING))
        case _:
            return False
