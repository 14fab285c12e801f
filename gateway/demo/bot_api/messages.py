"""The methods on messages."""

from dataclasses import replace
from datetime import timedelta

from gateway.demo.bot_api.account import Access, Account
from gateway.demo.bot_api.chats import Chat, ChatType, Content, Json, Message
from gateway.demo.bot_api.contents import (
    caption_of,
    keyboard_of,
    leaves_editable,
    media_content,
    replacing_media,
    text_content,
)
from gateway.demo.bot_api.parameters import Parameters
from gateway.demo.bot_api.refusals import NOT_MODIFIED, bad_request

# https://core.telegram.org/bots/api#deletemessage
_DELETABLE_FOR = timedelta(hours=48)
_MAX_DELETED_AT_ONCE = 100


def send_message(account: Account, parameters: Parameters) -> Json:
    """Send a text."""
    return post(account, parameters, text_content(parameters, "message is too long"), keyboard_of(parameters))


def send_photo(account: Account, parameters: Parameters) -> Json:
    """Send a photo."""
    return post(account, parameters, media_content("photo", parameters), keyboard_of(parameters))


def send_document(account: Account, parameters: Parameters) -> Json:
    """Send a file."""
    return post(account, parameters, media_content("document", parameters), keyboard_of(parameters))


def post(account: Account, parameters: Parameters, content: Content, keyboard: list[list[Json]]) -> Json:
    """
    Send *content* where the call wants it.

    Raises:
        Refusal: the chat is not open to the bot, or the message to reply to is gone.
    """
    chat = account.chat(parameters, Access.WRITE)
    message = account.send(
        chat,
        content,
        keyboard=keyboard,
        editable=leaves_editable(parameters),
        reply_to_id=_replied(chat, parameters),
        thread_id=parameters.integer("message_thread_id"),
        business_connection_id=parameters.text("business_connection_id") or None,
    )
    return account.render(chat, message)


def edit_message_text(account: Account, parameters: Parameters) -> Json:
    """Replace the text and the keyboard."""
    content = text_content(parameters, "MESSAGE_TOO_LONG")
    chat, message = _message_to_edit(account, parameters)
    if message.content.text is None or message.content.media is not None:
        raise bad_request("there is no text in the message to edit")
    return _edit(account, chat, message, content, keyboard_of(parameters))


def edit_message_caption(account: Account, parameters: Parameters) -> Json:
    """Replace the caption and the keyboard."""
    caption, formatting = caption_of(parameters, "MEDIA_CAPTION_TOO_LONG")
    chat, message = _message_to_edit(account, parameters)
    if message.content.media is None:
        raise bad_request("there is no caption in the message to edit")
    content = replace(message.content, text=caption, formatting=formatting)
    return _edit(account, chat, message, content, keyboard_of(parameters))


def edit_message_media(account: Account, parameters: Parameters) -> Json:
    """Replace everything, text by media too."""
    content = replacing_media(parameters)
    chat, message = _message_to_edit(account, parameters)
    return _edit(account, chat, message, content, keyboard_of(parameters))


def edit_message_reply_markup(account: Account, parameters: Parameters) -> Json:
    """Replace the keyboard."""
    chat, message = _message_to_edit(account, parameters)
    return _edit(account, chat, message, message.content, keyboard_of(parameters))


def delete_message(account: Account, parameters: Parameters) -> bool:
    """Delete one message, which must be there."""
    message_id = parameters.integer("message_id")
    if not message_id:
        raise bad_request("message identifier is not specified")
    chat = account.chat(parameters, Access.WRITE)
    message = account.message(chat, message_id, "message to delete")
    _check_deletable(account, chat, message)
    chat.delete([message.message_id])
    return True


def delete_messages(account: Account, parameters: Parameters) -> bool:
    """All that are there, or none: one that can't be deleted refuses the call, missing ones are skipped."""
    message_ids = _message_ids(parameters)
    chat = account.chat(parameters, Access.WRITE)
    for message_id in message_ids:
        if message_id in chat.messages:
            _check_deletable(account, chat, chat.messages[message_id])
    chat.delete(message_ids)
    return True


def delete_business_messages(account: Account, parameters: Parameters) -> bool:
    """
    Delete messages of one chat of a business that the bot serves.

    https://core.telegram.org/bots/api#deletebusinessmessages
    """
    connection_id = parameters.required("business_connection_id")
    message_ids = _message_ids(parameters)
    for chat in account.chats:
        of_business = [
            message_id
            for message_id in message_ids
            if message_id in chat.messages
            and chat.messages[message_id].business_connection_id == connection_id
        ]
        for message_id in of_business:
            _check_deletable(account, chat, chat.messages[message_id])
        chat.delete(of_business)
    return True


def _message_to_edit(account: Account, parameters: Parameters) -> tuple[Chat, Message]:
    message_id = parameters.integer("message_id")
    if not message_id:
        raise bad_request("message identifier is not specified")
    chat = account.chat(parameters, Access.EDIT)
    account.check_sendable(chat)
    message = account.message(chat, message_id, "message to edit")
    if not message.outgoing or not message.editable:
        raise bad_request("message can't be edited")
    return chat, message


def _edit(
    account: Account, chat: Chat, message: Message, content: Content, keyboard: list[list[Json]]
) -> Json:
    """An edit without a keyboard takes the keyboard away, as Telegram does."""
    if (content, keyboard) == (message.content, message.keyboard):
        raise bad_request(NOT_MODIFIED)
    message.content = content
    message.keyboard = keyboard
    message.edit_date = int(account.clock.now())
    return account.render(chat, message)


def _check_deletable(account: Account, chat: Chat, message: Message) -> None:
    """Supergroups and other chats refuse in different words."""
    text = "message can't be deleted"
    if chat.type is not ChatType.SUPERGROUP:
        text += " for everyone"
    too_old = account.clock.now() - message.date > _DELETABLE_FOR.total_seconds()
    # The bot is no administrator here: in groups only its own messages are in its power.
    of_somebody_else = not message.outgoing and chat.type is not ChatType.PRIVATE
    if too_old or of_somebody_else:
        raise bad_request(text)


def _message_ids(parameters: Parameters) -> list[int]:
    given = parameters.json("message_ids")
    if given is None or given == []:
        raise bad_request("message identifiers are not specified")
    if not isinstance(given, list):
        raise bad_request("expected an Array of message identifiers")
    if len(given) > _MAX_DELETED_AT_ONCE:
        raise bad_request("too many message identifiers specified")
    try:
        message_ids = [int(message_id) for message_id in given]
    except (TypeError, ValueError) as error:
        raise bad_request("can't parse message identifier as a Number") from error
    if min(message_ids) <= 0:
        raise bad_request("invalid message identifier specified")
    return message_ids


def _replied(chat: Chat, parameters: Parameters) -> int | None:
    reply = Parameters(parameters.json("reply_parameters") or {})
    replied_id = reply.integer("message_id") or parameters.integer("reply_to_message_id")
    if replied_id is None or replied_id in chat.messages:
        return replied_id
    if reply.flag("allow_sending_without_reply") or parameters.flag("allow_sending_without_reply"):
        return None
    raise bad_request("message to be replied not found")
