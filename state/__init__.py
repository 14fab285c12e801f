"""Conversations in Redis: state, drafts, inbox, outbox. Knows aiogram's FSM types; no HTTP, no bot."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from state.garbage import GarbageStateRegistry
    from state.manager import BaseStateManager
    from state.storage import ConversationStorage
else:
    from importlib import import_module

    # Each is imported when it is first asked for: aiogram takes seconds, and not all of `state` needs it.
    _HOMES = {
        "BaseStateManager": "state.manager",
        "ConversationStorage": "state.storage",
        "GarbageStateRegistry": "state.garbage",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


__all__ = ["BaseStateManager", "ConversationStorage", "GarbageStateRegistry"]
