"""Conversations in Redis: state, drafts, inbox, outbox. Knows aiogram's FSM types; no HTTP, no bot."""

from state.garbage import GarbageStateRegistry
from state.manager import BaseStateManager
from state.storage import ConversationStorage

__all__ = ["BaseStateManager", "ConversationStorage", "GarbageStateRegistry"]
