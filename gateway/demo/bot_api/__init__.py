"""A stand-in for Telegram's Bot API: a real HTTP server with chats in memory, for the demo and the tests."""

from gateway.demo.bot_api.calls import Call, Outcome
from gateway.demo.bot_api.chats import Chat, ChatType, Message, Standing
from gateway.demo.bot_api.faults import FaultKind
from gateway.demo.bot_api.queries import QueryKind
from gateway.demo.bot_api.server import BotApi
from gateway.demo.bot_api.telegram import TOKEN, Telegram
from gateway.demo.bot_api.updates import Updates

__all__ = [
    "TOKEN",
    "BotApi",
    "Call",
    "Chat",
    "ChatType",
    "FaultKind",
    "Message",
    "Outcome",
    "QueryKind",
    "Standing",
    "Telegram",
    "Updates",
]
