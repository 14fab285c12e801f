"""What a subscriber is told of one change of state."""

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from state.subscribers import OwedWord

TYPE: Final = "conversation.transition"


def word_id(word: OwedWord, subscriber: str) -> str:
    """Return the id that every attempt to tell it bears."""
    name = f"{subscriber} {word.partition:02x} {word.first_id}"
    return f"msg_{hashlib.sha256(name.encode()).hexdigest()[:24]}"


def body_of(word: OwedWord) -> bytes:
    """
    Return the body, the same for every attempt.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure
    """
    transition, conversation = word.transition, word.conversation
    at = datetime.fromtimestamp(transition.at_ms / 1000, UTC)
    data: dict[str, Any] = {
        "bot_id": conversation.bot_id,
        "user_id": conversation.user_id,
        "chat_id": conversation.chat_id,
        "thread_id": conversation.thread_id,
        "business_connection_id": conversation.business_connection_id,
        "from": transition.from_state,
        "to": transition.to_state,
        "revision": transition.revision,
        "cause": {
            "source": transition.source or None,
            "type": transition.type or None,
            "idempotency_key": transition.idempotency_key or None,
            "event_id": transition.event_id,
        },
        "drafts": transition.drafts,
    }
    return orjson.dumps({"type": TYPE, "timestamp": at, "data": data}, option=orjson.OPT_UTC_Z)
