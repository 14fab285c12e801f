"""Genuine updates: what Telegram tells the bot of what a user did in a chat that exists."""

import re
from itertools import count
from typing import Any

from gateway.demo.bot_api.account import Account
from gateway.demo.bot_api.chats import ChatType, Content, Invoice, Json, Message, Standing
from gateway.demo.bot_api.queries import QueryKind

_COMMAND = re.compile(r"(?:^|(?<=\s))/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]+)?")
_MAX_PENDING = 1000
_FOREVER = 0


class Updates:
    """
    What users do, one method a deed; each changes the chat and returns the `Update` as a dict.

    *user_id* names a member of a group; in a private chat it is the chat's own user.
    """

    def __init__(self, account: Account, first_id: int = 100_000_001) -> None:
        self._account = account
        self._ids = count(first_id)
        self._charge_ids = count(1)

    def message(
        self,
        chat_id: int,
        text: str,
        *,
        user_id: int | None = None,
        thread_id: int | None = None,
        business_connection_id: str | None = None,
    ) -> Json:
        """The user writes *text*; `/commands` in it are marked as such. Opens the chat if need be."""
        message = self._write(chat_id, Content(text=text), user_id, thread_id)
        message.business_connection_id = business_connection_id
        rendered = self._rendered(chat_id, message)
        if entities := _commands(text):
            rendered["entities"] = entities
        return self._update("business_message" if business_connection_id else "message", rendered)

    def press(self, chat_id: int, message_id: int, data: str, *, user_id: int | None = None) -> Json:
        """
        The user presses the button with this data.

        Raises:
            LookupError: the user sees no such button.
        """
        chat = self._account.chats[chat_id]
        message = chat.messages[message_id]
        if not any(button.get("callback_data") == data for button in message.buttons()):
            raise LookupError(f"message {message_id} shows no button with the data {data!r}")
        user = chat.user(user_id)
        query = self._ask(QueryKind.CALLBACK, user, data)
        return self._update(
            "callback_query",
            {
                **query,
                "message": self._rendered(chat_id, message),
                "chat_instance": str(chat.id),
                "data": data,
            },
        )

    def pre_checkout(self, chat_id: int, payload: str, *, user_id: int | None = None) -> Json:
        """
        The user confirms a payment; the bot has ten seconds to answer.

        Raises:
            LookupError: the bot has made no invoice with this payload.
        """
        query = self._ask(QueryKind.PRE_CHECKOUT, self._account.chats[chat_id].user(user_id), payload)
        return self._update("pre_checkout_query", {**query, **_price(self._account.invoices[payload])})

    def shipping(self, chat_id: int, payload: str, *, user_id: int | None = None) -> Json:
        """
        The user gives an address for a flexible invoice.

        Raises:
            LookupError: the bot has made no invoice with this payload.
        """
        invoice = self._account.invoices[payload]
        query = self._ask(QueryKind.SHIPPING, self._account.chats[chat_id].user(user_id), payload)
        address = dict.fromkeys(("state", "city", "street_line1", "street_line2", "post_code"), "")
        return self._update(
            "shipping_query",
            {
                **query,
                "invoice_payload": invoice.payload,
                "shipping_address": {"country_code": "DE", **address},
            },
        )

    def paid(self, chat_id: int, payload: str, *, user_id: int | None = None) -> Json:
        """
        The money has moved: a `successful_payment` message, under a new charge id.

        Raises:
            LookupError: the bot has made no invoice with this payload.
        """
        charge_id = f"charge-{next(self._charge_ids)}"
        payment = {
            **_price(self._account.invoices[payload]),
            "telegram_payment_charge_id": charge_id,
            "provider_payment_charge_id": f"provider-{charge_id}",
        }
        message = self._write(chat_id, Content(payment=payment), user_id)
        self._account.charges[charge_id] = (message.sender["id"], False)
        return self._update("message", self._rendered(chat_id, message))

    def blocked(self, chat_id: int) -> Json:
        """The user of a private chat blocks the bot."""
        return self._stand(chat_id, Standing.BLOCKED, "member", "kicked")

    def unblocked(self, chat_id: int) -> Json:
        """The user of a private chat lets the bot in again."""
        return self._stand(chat_id, Standing.OPEN, "kicked", "member")

    def _write(
        self, chat_id: int, content: Content, user_id: int | None, thread_id: int | None = None
    ) -> Message:
        chat = self._account.chats.open(chat_id, ChatType.PRIVATE if chat_id > 0 else ChatType.SUPERGROUP)
        message = Message(
            message_id=0,
            date=self._now(),
            sender=chat.user(user_id),
            outgoing=False,
            content=content,
            editable=False,
            thread_id=thread_id,
        )
        return self._account.chats.post(chat, message)

    def _stand(self, chat_id: int, standing: Standing, before: str, after: str) -> Json:
        chat = self._account.chats[chat_id]
        chat.standing = standing
        return self._update(
            "my_chat_member",
            {
                "chat": chat.as_json(),
                "from": chat.user(),
                "date": self._now(),
                "old_chat_member": self._member(before),
                "new_chat_member": self._member(after),
            },
        )

    def _member(self, status: str) -> Json:
        member: Json = {"status": status, "user": self._account.user()}
        return {**member, "until_date": _FOREVER} if status == "kicked" else member

    def _ask(self, kind: QueryKind, user: Json, subject: str) -> Json:
        query = self._account.queries.ask(kind, user["id"], subject, self._account.clock.now())
        return {"id": query.id, "from": user}

    def _rendered(self, chat_id: int, message: Message) -> Json:
        return self._account.render(self._account.chats[chat_id], message)

    def _update(self, kind: str, value: Json) -> Json:
        update = {"update_id": next(self._ids), kind: value}
        if self._account.webhook is None:
            pending = self._account.updates
            pending.append(update)
            del pending[:-_MAX_PENDING]
        return update

    def _now(self) -> int:
        return int(self._account.clock.now())


def _price(invoice: Invoice) -> dict[str, Any]:
    return {
        "currency": invoice.currency,
        "total_amount": invoice.total_amount,
        "invoice_payload": invoice.payload,
    }


def _commands(text: str) -> list[Json]:
    """Offsets and lengths in UTF-16 code units: https://core.telegram.org/bots/api#messageentity"""
    return [
        {"type": "bot_command", "offset": _utf16_length(text[: found.start()]), "length": len(found.group())}
        for found in _COMMAND.finditer(text)
    ]


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
