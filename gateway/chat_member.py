"""What an update says of its chat: that the bot is out, in again, or that the group has moved."""

from aiogram.enums import ChatMemberStatus
from aiogram.types import Update

from gateway.answers import Cause
from state.chats import Chats
from state.conversation import Conversation

_OUT = frozenset({ChatMemberStatus.KICKED, ChatMemberStatus.LEFT})


async def note_chat(update: Update, conversation: Conversation, chats: Chats) -> None:
    """
    Remember what *update* says of the chat. Doing it twice changes nothing.

    In a private chat ``my_chat_member`` says that the user has blocked the bot, or has let it in again:
    https://core.telegram.org/bots/api#chatmemberupdated

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    if (changed := update.my_chat_member) is not None:
        if changed.new_chat_member.status not in _OUT:
            await chats.reopen(conversation)
        elif changed.chat.id > 0:
            await chats.close(conversation, Cause.BLOCKED.value)
        else:
            await chats.close(conversation, Cause.CHAT_GONE.value)
    if update.message is not None and update.message.migrate_to_chat_id is not None:
        await chats.move(conversation, update.message.migrate_to_chat_id)


def shows_the_user(update: Update) -> bool:
    """Tell whether a person has just done something in the chat, so that it is open whatever was noted."""
    return any((update.message, update.business_message, update.callback_query))
