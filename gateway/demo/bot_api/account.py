"""One bot's account: what Telegram knows of it."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gateway.demo.bot_api.chats import Chat, Chats, Content, Invoice, Json, Message, Standing
from gateway.demo.bot_api.clock import Clock
from gateway.demo.bot_api.limits import Limits
from gateway.demo.bot_api.parameters import Parameters
from gateway.demo.bot_api.queries import Queries
from gateway.demo.bot_api.refusals import bad_request, forbidden, too_many_requests, upgraded


class Access(Enum):
    """What a method wants with a chat; each includes the one before."""

    READ = 1
    EDIT = 2
    WRITE = 3


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where the bot wants its updates."""

    url: str
    secret_token: str
    max_connections: int = 40
    ip_address: str = ""


@dataclass(slots=True)
class Account:
    """The bot with all it has done; the methods change it."""

    token: str
    clock: Clock
    limits: Limits | None = None
    """None: the bot may send as much as it likes."""
    chats: Chats = field(default_factory=Chats)
    queries: Queries = field(default_factory=Queries)
    webhook: Webhook | None = None
    allowed_updates: list[str] = field(default_factory=list)
    next_set_webhook_at: float = 0
    updates: list[Json] = field(default_factory=list)
    """What happened while no webhook was set, until getUpdates confirms it."""
    invoices: dict[str, Invoice] = field(default_factory=dict)
    """By payload."""
    charges: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """By charge id: the paying user, and whether the charge was refunded."""
    commands: list[Json] = field(default_factory=list)

    @property
    def id(self) -> int:
        """The bot's user id, which begins its token."""
        return int(self.token.partition(":")[0])

    def user(self) -> Json:
        """The Bot API's `User` of the bot."""
        return {"id": self.id, "is_bot": True, "first_name": "Demo", "username": f"demo_{self.id}_bot"}

    def clear(self) -> None:
        """Forget all that happened; message ids go on."""
        self.chats.clear()
        self.queries.clear()
        self.webhook = None
        self.allowed_updates = []
        self.next_set_webhook_at = 0
        self.updates.clear()
        self.invoices.clear()
        self.charges.clear()
        self.commands = []

    def chat(self, parameters: Parameters, access: Access) -> Chat:
        """
        The chat that a call names.

        Raises:
            Refusal: there is none, or it lets the bot do no such thing.
        """
        if not parameters.text("chat_id"):
            raise bad_request("chat_id is empty")
        chat_id = parameters.integer("chat_id")
        chat = None if chat_id is None else self.chats.get(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None and access is Access.WRITE:
            raise upgraded(chat.migrated_to)
        if chat.standing is Standing.DEACTIVATED and access is not Access.READ:
            raise forbidden("user is deactivated")
        return chat

    def message(self, chat: Chat, message_id: int | None, role: str) -> Message:
        """
        The message of *chat* that a call names; *role* as in `message to edit`.

        Raises:
            Refusal: it is not there, or not any more.
        """
        if message_id is None or message_id not in chat.messages:
            raise bad_request(f"{role} not found")
        return chat.messages[message_id]

    def check_sendable(self, chat: Chat) -> None:
        """
        Pass if the user takes messages of the bot.

        Raises:
            Refusal: the user has blocked the bot.
        """
        if chat.standing is Standing.BLOCKED:
            raise forbidden("bot was blocked by the user")

    def send(
        self,
        chat: Chat,
        content: Content,
        *,
        keyboard: list[list[Json]],
        editable: bool,
        reply_to_id: int | None,
        thread_id: int | None,
        business_connection_id: str | None,
    ) -> Message:
        """
        Post a message of the bot.

        Raises:
            Refusal: the user has blocked the bot, or the bot sends too much.
        """
        self.check_sendable(chat)
        now = self.clock.now()
        if self.limits is not None and (wait := self.limits.admit(chat, now)) is not None:
            raise too_many_requests(wait)
        message = Message(
            message_id=0,
            date=int(now),
            sender=self.user(),
            outgoing=True,
            content=content,
            keyboard=keyboard,
            editable=editable,
            reply_to_id=reply_to_id,
            thread_id=thread_id,
            business_connection_id=business_connection_id,
        )
        return self.chats.post(chat, message)

    def render(self, chat: Chat, message: Message, *, with_reply: bool = True) -> Json:
        """The Bot API's `Message`."""
        rendered: Json = {
            "message_id": message.message_id,
            "date": message.date,
            "chat": chat.as_json(),
            "from": message.sender,
            **_content(message.content),
        }
        if message.keyboard:
            rendered["reply_markup"] = {"inline_keyboard": message.keyboard}
        if message.edit_date is not None:
            rendered["edit_date"] = message.edit_date
        if message.thread_id is not None:
            rendered |= {"message_thread_id": message.thread_id, "is_topic_message": True}
        if message.business_connection_id is not None:
            rendered["business_connection_id"] = message.business_connection_id
        replied = chat.messages.get(message.reply_to_id) if with_reply and message.reply_to_id else None
        if replied is not None:
            rendered["reply_to_message"] = self.render(chat, replied, with_reply=False)
        return rendered


def _content(content: Content) -> dict[str, Any]:
    if content.invoice is not None:
        invoice = content.invoice
        return {
            "invoice": {
                "title": invoice.title,
                "description": invoice.description,
                "start_parameter": "",
                "currency": invoice.currency,
                "total_amount": invoice.total_amount,
            }
        }
    if content.payment is not None:
        return {"successful_payment": content.payment}
    if content.media is None:
        return {"text": content.text}
    rendered: Json = {"caption": content.text} if content.text else {}
    file = {"file_id": content.media.file_id, "file_unique_id": f"unique-{content.media.file_id}"}
    if content.media.kind == "photo":
        rendered["photo"] = [{**file, "width": 1, "height": 1}]
    else:
        rendered["document"] = {**file, "file_name": content.media.file_name}
    return rendered
