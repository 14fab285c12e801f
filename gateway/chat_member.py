"""What an update says of its chat: that the bot is out, in again, or that the group has moved."""

from aiogram.enums import ChatMemberStatus
from aiogram.types import Update

from gateway.answers import Cause
from state.chats import Chats
from state.conversation import Conversation
from state.migrations import Migrations

_OUT = frozenset({ChatMemberStatus.KICKED, ChatMemberStatus.LEFT})


def tells_of_its_chat(update: Update) -> bool:
    """Tell whether `note_chat` has anything to remember of *update*."""
    message = update.message
    if message is None:
        return update.my_chat_member is not None
    return message.migrate_to_chat_id is not None or message.migrate_from_chat_id is not None


async def note_chat(update: Update, conversation: Conversation, chats: Chats, migrations: Migrations) -> None:
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
    if (message := update.message) is not None:
        here, bot_id = message.chat.id, conversation.bot_id
        if message.migrate_to_chat_id is not None:
            await migrations.note(bot_id, here, message.migrate_to_chat_id)
        elif message.migrate_from_chat_id is not None:
            await migrations.note(bot_id, message.migrate_from_chat_id, here)


def shows_the_user(update: Update) -> bool:
    """Tell whether a person has just done something in the chat, so that it is open whatever was noted."""
    return any((update.message, update.business_message, update.callback_query))
