"""The table of methods."""

from collections.abc import Callable
from typing import Any

from gateway.demo.bot_api import messages, payments, webhooks
from gateway.demo.bot_api.account import Access, Account
from gateway.demo.bot_api.chats import ChatType, Json
from gateway.demo.bot_api.parameters import Parameters
from gateway.demo.bot_api.queries import QueryKind
from gateway.demo.bot_api.refusals import bad_request

Method = Callable[[Account, Parameters], Any]


def get_me(account: Account, _: Parameters) -> Json:
    """Tell the bot who it is."""
    return {
        **account.user(),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def get_chat(account: Account, parameters: Parameters) -> Json:
    """Tell the bot of a chat it knows."""
    chat = account.chat(parameters, Access.READ)
    kinds = (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    )
    full: Json = {
        **chat.as_json(),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(kinds, False),
    }
    if chat.type is not ChatType.PRIVATE:
        full["permissions"] = {}
    return full


def send_chat_action(account: Account, parameters: Parameters) -> bool:
    """Pretend to be typing."""
    if not parameters.text("action"):
        raise bad_request("wrong parameter action in request")
    account.check_sendable(account.chat(parameters, Access.WRITE))
    return True


def set_my_commands(account: Account, parameters: Parameters) -> bool:
    """Keep the menu of commands."""
    account.commands = parameters.json("commands") or []
    return True


def answer_callback_query(account: Account, parameters: Parameters) -> bool:
    """Answer a pressed button."""
    answer = {
        "text": parameters.text("text"),
        "show_alert": parameters.flag("show_alert"),
        "url": parameters.text("url"),
    }
    query_id = parameters.text("callback_query_id")
    account.queries.answer(query_id, QueryKind.CALLBACK, answer, account.clock.now())
    return True


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getChat": get_chat,
    "setMyCommands": set_my_commands,
    "sendChatAction": send_chat_action,
    "sendMessage": messages.send_message,
    "sendPhoto": messages.send_photo,
    "sendDocument": messages.send_document,
    "editMessageText": messages.edit_message_text,
    "editMessageCaption": messages.edit_message_caption,
    "editMessageMedia": messages.edit_message_media,
    "editMessageReplyMarkup": messages.edit_message_reply_markup,
    "deleteMessage": messages.delete_message,
    "deleteMessages": messages.delete_messages,
    "deleteBusinessMessages": messages.delete_business_messages,
    "answerCallbackQuery": answer_callback_query,
    "sendInvoice": payments.send_invoice,
    "createInvoiceLink": payments.create_invoice_link,
    "answerPreCheckoutQuery": payments.answer_pre_checkout_query,
    "answerShippingQuery": payments.answer_shipping_query,
    "refundStarPayment": payments.refund_star_payment,
    "setWebhook": webhooks.set_webhook,
    "getWebhookInfo": webhooks.get_webhook_info,
    "deleteWebhook": webhooks.delete_webhook,
    "getUpdates": webhooks.get_updates,
}

_BY_LOWER_CASE = {name.lower(): (name, method) for name, method in METHODS.items()}


def find(name: str) -> tuple[str, Method] | None:
    """The method and its proper name; the Bot API does not mind the case."""
    return _BY_LOWER_CASE.get(name.lower())
