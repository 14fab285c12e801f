"""The keys of aiogram's `RedisStorage`, read back into the conversations whose they are."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from aiogram.fsm.storage.base import DEFAULT_DESTINY, DefaultKeyBuilder

from state.conversation import Conversation


class KeyUnreadable(ValueError):
    """A key names no conversation; the message says why, in words that follow the key."""


class KeyOptionsUnusable(ValueError):
    """Keys of these options cannot be read back; the message says why."""


@dataclass(frozen=True, slots=True)
class Halves:
    """The two keys in which aiogram keeps a conversation, of which one was found."""

    state: str
    data: str
    found_data: bool


class AiogramKeys:
    """
    Reads the keys that *builder* makes; its options are those of the bot that wrote them.

    *bots* are those whose conversations these can be; keys without a bot's id belong to the only one.

    Raises:
        KeyOptionsUnusable: the separator can stand inside a number, or nothing says which bot's the keys are.
    """

    def __init__(self, builder: DefaultKeyBuilder, bots: Collection[int]) -> None:
        if not builder.separator or re.search(r"\d", builder.separator):
            raise KeyOptionsUnusable(
                "without a separator, or with digits in it, the numbers of a key run together"
            )
        if not bots or (len(bots) > 1 and not builder.with_bot_id):
            raise KeyOptionsUnusable("the keys do not say whose conversations they are; name the bot")
        self.bots = frozenset(bots)
        self.builder = builder
        self._patterns = [re.compile(_pattern(builder, with_business=False), re.DOTALL)]
        if builder.with_business_connection_id:
            self._patterns.append(re.compile(_pattern(builder, with_business=True), re.DOTALL))

    @property
    def glob(self) -> str:
        """The pattern that SCAN finds them by."""
        return re.sub(r"([\\*?\[\]^])", r"\\\1", self.builder.prefix + self.builder.separator) + "*"

    def halves(self, key: str) -> Halves | None:
        """Return the conversation's two keys, of which *key* is one; None: it is neither (a lock, say)."""
        base, _, part = key.rpartition(self.builder.separator)
        if part not in {"state", "data"}:
            return None
        base += self.builder.separator
        return Halves(f"{base}state", f"{base}data", part == "data")

    def conversation(self, key: str) -> Conversation:
        """
        Return the conversation whose key this is.

        A number between chat and user is a thread: a business connection's id is never all digits.

        Raises:
            KeyUnreadable: these options make no such key, or it is another bot's.
        """
        match = next(filter(None, (pattern.fullmatch(key) for pattern in self._patterns)), None)
        if match is None:
            raise KeyUnreadable("is no key that these options make")
        found = match.groupdict()
        bot_id = int(found["bot"]) if self.builder.with_bot_id else min(self.bots)
        chat_id = int(found["chat"])
        if bot_id not in self.bots:
            raise KeyUnreadable(f"is of bot {bot_id}, which is not configured")
        if chat_id == bot_id:
            # No bot chats with itself: the bot's id would be taken for the chat, the chat for a thread.
            raise KeyUnreadable("begins with the bot's id, so these options are not those of the bot")
        return Conversation(
            bot_id,
            chat_id,
            int(found["user"]),
            int(found["thread"]) if found["thread"] else None,
            found.get("business"),
            found.get("destiny", DEFAULT_DESTINY),
        )


def _pattern(builder: DefaultKeyBuilder, *, with_business: bool) -> str:
    separator = re.escape(builder.separator)
    parts = [re.escape(builder.prefix)]
    if builder.with_bot_id:
        parts.append(r"(?P<bot>\d+)")
    if with_business:
        parts.append(r"(?P<business>.+?)")
    parts.append(rf"(?P<chat>-?\d+)(?:{separator}(?P<thread>\d+))?")
    parts.append(r"(?P<user>-?\d+)")
    if builder.with_destiny:
        parts.append(r"(?P<destiny>.+)")
    parts.append("(?:state|data)")
    return separator.join(parts)
