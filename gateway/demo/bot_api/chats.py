"""The chats of one bot, as their users see them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import count
from typing import Any

Json = dict[str, Any]


class ChatType(Enum):
    """The kinds of chats that a bot writes to."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"


class Standing(Enum):
    """What the user has made of the bot."""

    OPEN = "open"
    BLOCKED = "blocked"
    DEACTIVATED = "deactivated"


@dataclass(frozen=True, slots=True)
class Media:
    """A file in a message; its bytes are not kept."""

    kind: str
    file_id: str
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a bot asks money for."""

    title: str
    description: str
    payload: str
    currency: str
    total_amount: int
    """In the smallest units of *currency*."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says: a text, or media with a caption, or an invoice."""

    text: str | None = None
    """Without formatting, as shown."""
    formatting: tuple[str, str] = ("", "")
    """Parse mode and text as sent; empty for plain text. Two messages of equal text may differ in it."""
    media: Media | None = None
    invoice: Invoice | None = None
    payment: Json | None = None


@dataclass(slots=True)
class Message:
    """A message that is in a chat now."""

    message_id: int
    date: int
    sender: Json
    outgoing: bool
    content: Content
    keyboard: list[list[Json]] = field(default_factory=list)
    editable: bool = True
    reply_to_id: int | None = None
    thread_id: int | None = None
    business_connection_id: str | None = None
    edit_date: int | None = None

    def buttons(self) -> Iterator[Json]:
        """All buttons under the message, row by row."""
        for row in self.keyboard:
            yield from row

    def as_seen(self) -> Json:
        """What a person looking at the chat could tell about this message."""
        content = self.content
        return {
            "message_id": self.message_id,
            "from_bot": self.outgoing,
            "text": content.text if content.media is None else None,
            "caption": content.text if content.media is not None else None,
            "media": content.media.kind if content.media else None,
            "file_name": content.media.file_name if content.media else None,
            "invoice": content.invoice.title if content.invoice else None,
            "keyboard": self.keyboard,
            "reply_to": self.reply_to_id,
            "thread_id": self.thread_id,
            "edited": self.edit_date is not None,
        }


@dataclass(slots=True)
class Chat:
    """A chat with the messages that are in it now, oldest first."""

    id: int
    type: ChatType
    name: str
    standing: Standing = Standing.OPEN
    migrated_to: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    deleted_ids: list[int] = field(default_factory=list)
    """Of the messages that the bot has deleted, in order."""

    def user(self, user_id: int | None = None) -> Json:
        """
        The person behind a private chat, or member *user_id* of a group.

        Raises:
            ValueError: a group, and nobody was named.
        """
        if user_id is None and self.type is not ChatType.PRIVATE:
            raise ValueError("a group has many members: name one by user_id")
        identity = self.id if user_id is None else user_id
        name = self.name if identity == self.id else f"User {identity}"
        return {"id": identity, "is_bot": False, "first_name": name, "language_code": "en"}

    def delete(self, message_ids: Iterable[int]) -> None:
        """Delete for everyone, as the bot asked; what is not there is skipped."""
        for message_id in message_ids:
            if self.messages.pop(message_id, None) is not None:
                self.deleted_ids.append(message_id)

    def as_json(self) -> Json:
        """The Bot API's `Chat`."""
        title = "first_name" if self.type is ChatType.PRIVATE else "title"
        return {"id": self.id, "type": self.type.value, title: self.name}

    def as_seen(self) -> Json:
        """The chat with its messages as the control surface shows it."""
        return {
            **self.as_json(),
            "standing": self.standing.value,
            "migrated_to": self.migrated_to,
            "deleted_ids": self.deleted_ids,
            "messages": self.visible(),
        }

    def visible(self) -> list[Json]:
        """The messages that are in the chat now, oldest first."""
        return [message.as_seen() for message in self.messages.values()]

    def texts(self) -> list[str]:
        """The texts and captions of the bot's messages that are in the chat now, oldest first."""
        return [message.content.text or "" for message in self.messages.values() if message.outgoing]


class Chats:
    """All chats that the bot may know; a bot cannot write to anybody else."""

    def __init__(self) -> None:
        self._chats: dict[int, Chat] = {}
        # A bot has one sequence of ids for its private chats and groups, a supergroup has its own.
        self._shared_ids = count(1)
        self._supergroup_ids: dict[int, count[int]] = {}

    def __iter__(self) -> Iterator[Chat]:
        return iter(self._chats.values())

    def __getitem__(self, chat_id: int) -> Chat:
        return self._chats[chat_id]

    def get(self, chat_id: int) -> Chat | None:
        """The chat, or None if the bot does not know it."""
        return self._chats.get(chat_id)

    def open(self, chat_id: int, kind: ChatType = ChatType.PRIVATE, name: str | None = None) -> Chat:
        """The chat with this id, made if need be: its user has pressed Start, or the bot was added."""
        if chat_id not in self._chats:
            self._chats[chat_id] = Chat(chat_id, kind, name or f"{kind.value.capitalize()} {abs(chat_id)}")
        return self._chats[chat_id]

    def migrate(self, chat_id: int, new_chat_id: int) -> Chat:
        """Upgrade a group to a supergroup under a new id, as Telegram does."""
        old = self._chats[chat_id]
        old.migrated_to = new_chat_id
        return self.open(new_chat_id, ChatType.SUPERGROUP, old.name)

    def post(self, chat: Chat, message: Message) -> Message:
        """Put *message* into *chat* under the next message id."""
        ids = self._shared_ids
        if chat.type in {ChatType.SUPERGROUP, ChatType.CHANNEL}:
            ids = self._supergroup_ids.setdefault(chat.id, count(1))
        posted = replace(message, message_id=next(ids))
        chat.messages[posted.message_id] = posted
        return posted

    def clear(self) -> None:
        """Forget every chat; message ids go on."""
        self._chats.clear()
