"""One FSM context: the unit that events change and that a user sees."""

import zlib
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from aiogram.fsm.storage.base import StorageKey

#: aiogram's, which is not imported for it: that takes seconds, and most commands need no more of it.
DEFAULT_DESTINY: Final = "default"


class _Ids(NamedTuple):
    # A tuple: each event makes one, and looks it up in a dozen sets and mappings.
    bot_id: int
    chat_id: int
    user_id: int
    thread_id: int | None = None
    business_connection_id: str | None = None
    destiny: str = DEFAULT_DESTINY


class Conversation(_Ids):
    """A bot, a chat and a user (and thread, business connection, destiny): aiogram's ``StorageKey``."""

    # Made once: one event names a dozen keys of its conversation.
    _text: str = ""
    _checksum: int = -1

    @classmethod
    def private(cls, bot_id: int, user_id: int) -> Self:
        """Return the private chat of *user_id*, whose chat id equals the user's."""
        return cls(bot_id, user_id, user_id)

    @classmethod
    def from_storage_key(cls, key: "StorageKey") -> Self:
        """Return the conversation that aiogram calls *key*."""
        return cls(
            key.bot_id, key.chat_id, key.user_id, key.thread_id, key.business_connection_id, key.destiny
        )

    def storage_key(self) -> "StorageKey":
        """Return aiogram's name for this conversation."""
        return _aiograms_key()(
            bot_id=self.bot_id,
            chat_id=self.chat_id,
            user_id=self.user_id,
            thread_id=self.thread_id,
            business_connection_id=self.business_connection_id,
            destiny=self.destiny,
        )

    def encode(self) -> str:
        """Return the text form, ``bot:chat:user[:t<thread>][:b<business>][:d<destiny>]``."""
        if self._text:
            return self._text
        text = f"{self.bot_id}:{self.chat_id}:{self.user_id}"
        if self.thread_id is not None:
            text += f":t{self.thread_id}"
        if self.business_connection_id is not None:
            text += f":b{quote(self.business_connection_id, safe='')}"
        if self.destiny != DEFAULT_DESTINY:
            text += f":d{quote(self.destiny, safe='')}"
        self._text = text
        return text

    def checksum(self) -> int:
        """Return the same number for all conversations of one bot in one chat."""
        if self._checksum < 0:
            self._checksum = zlib.crc32(b"%d:%d" % (self.bot_id, self.chat_id))
        return self._checksum

    @classmethod
    def decode(cls, text: str) -> Self:
        """
        Return the conversation whose text form is *text*.

        Raises:
            ValueError: *text* is not such a form.
        """
        bot_id, chat_id, user_id, *rest = text.split(":")
        marked = {part[:1]: part[1:] for part in rest}
        if not marked.keys() <= {"t", "b", "d"} or len(marked) != len(rest):
            raise ValueError(f"not a conversation: {text!r}")
        return cls(
            int(bot_id),
            int(chat_id),
            int(user_id),
            int(marked["t"]) if "t" in marked else None,
            unquote(marked["b"]) if "b" in marked else None,
            unquote(marked["d"]) if "d" in marked else DEFAULT_DESTINY,
        )


@cache
def _aiograms_key() -> "type[StorageKey]":
    # To ask for the module each time takes as long as to make a key.
    from aiogram.fsm.storage.base import StorageKey

    return StorageKey
