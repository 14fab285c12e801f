"""Messages behave as they do at Telegram, refusals word for word."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramUnauthorizedError,
)
from aiogram.methods import GetChatMemberCount
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    ReplyKeyboardRemove,
    ReplyParameters,
)

from gateway.demo.bot_api import BotApi, ChatType, Standing

CHAT = 7
GROUP = -8
SUPERGROUP = -1009
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)
FILE = BufferedInputFile(b"bytes", "ticket.pdf")


def keyboard(data: str = "yes") -> InlineKeyboardMarkup:
    """One button with this data."""
    return InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data=data)]])


async def refusal(call: Awaitable[Any], kind: type[TelegramAPIError] = TelegramBadRequest) -> str:
    """The words in which a call is refused."""
    with pytest.raises(kind) as refused:
        await call
    return refused.value.message


async def test_the_bot_learns_who_it_is_and_who_it_talks_to(bot: Bot) -> None:
    """getMe, getChat, setMyCommands and sendChatAction parse into aiogram's types."""
    assert (await bot.get_me()).id == 42
    assert (await bot.get_chat(CHAT)).type == "private"
    assert await bot.set_my_commands([BotCommand(command="start", description="Begin")])
    assert await bot.send_chat_action(CHAT, "typing")


async def test_a_message_comes_back_as_it_was_sent(api: BotApi, bot: Bot) -> None:
    """Text, keyboard, thread, business connection and the replied message are kept; formatting is read."""
    first = await bot.send_message(CHAT, "first")

    sent = await bot.send_message(
        CHAT,
        "<b>Room</b> &lt;7&gt; &amp; &#9731;",
        parse_mode="HTML",
        reply_markup=keyboard(),
        message_thread_id=3,
        business_connection_id="biz",
        reply_parameters=ReplyParameters(message_id=first.message_id),
    )

    assert sent.text == "Room <7> & ☃"
    assert sent.from_user is not None
    assert (sent.from_user.id, sent.chat.id) == (42, CHAT)
    assert (sent.message_thread_id, sent.business_connection_id) == (3, "biz")
    assert sent.reply_markup is not None
    assert sent.reply_markup.model_dump() == keyboard().model_dump()
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "first"
    assert api.chats[CHAT].texts() == ["first", "Room <7> & ☃"]


async def test_an_edit_shows_at_once_and_takes_an_unrepeated_keyboard_away(api: BotApi, bot: Bot) -> None:
    """The user sees the new text; the keyboard goes unless the edit has it again."""
    sent = await bot.send_message(CHAT, "old", reply_markup=keyboard())

    edited = await bot.edit_message_text("new", chat_id=CHAT, message_id=sent.message_id)

    assert not isinstance(edited, bool)
    assert (edited.message_id, edited.text, edited.reply_markup) == (sent.message_id, "new", None)
    [seen] = api.chats[CHAT].visible()
    assert (seen["text"], seen["keyboard"], seen["edited"]) == ("new", [], True)


async def test_files_are_sent_and_replaced_by_other_files(api: BotApi, bot: Bot) -> None:
    """A photo with a caption becomes a document; the chat shows the last of them only."""
    sent = await bot.send_photo(CHAT, FILE, caption="map", reply_markup=keyboard())
    await bot.edit_message_caption(chat_id=CHAT, message_id=sent.message_id, caption="a map")
    await bot.edit_message_reply_markup(chat_id=CHAT, message_id=sent.message_id, reply_markup=keyboard("no"))
    media = InputMediaDocument(media=FILE, caption="the ticket")
    await bot.edit_message_media(media, chat_id=CHAT, message_id=sent.message_id)
    document = await bot.send_document(CHAT, "https://example.org/a.pdf")

    assert sent.photo is not None
    assert document.document is not None
    first, second = api.chats[CHAT].visible()
    assert (first["media"], first["caption"], first["file_name"]) == ("document", "the ticket", "ticket.pdf")
    assert (second["media"], second["caption"], second["text"]) == ("document", None, None)


async def test_edits_are_refused_in_telegrams_words(api: BotApi, bot: Bot) -> None:
    """Unchanged, missing, not editable, of the wrong kind, empty, too long."""
    theirs = api.updates.message(CHAT, "mine")["message"]["message_id"]
    text = (await bot.send_message(CHAT, "text", reply_markup=keyboard())).message_id
    photo = (await bot.send_photo(CHAT, FILE)).message_id
    fixed = (await bot.send_message(CHAT, "fixed", reply_markup=ReplyKeyboardRemove())).message_id

    async def edit(message_id: int, new: str, markup: InlineKeyboardMarkup | None = None) -> str:
        return await refusal(
            bot.edit_message_text(new, chat_id=CHAT, message_id=message_id, reply_markup=markup)
        )

    assert await edit(text, "text", keyboard()) == NOT_MODIFIED
    html = bot.edit_message_text(
        "text", chat_id=CHAT, message_id=text, reply_markup=keyboard(), parse_mode="HTML"
    )
    assert await refusal(html) == NOT_MODIFIED
    assert await edit(999, "text") == "Bad Request: message to edit not found"
    assert await edit(theirs, "text") == "Bad Request: message can't be edited"
    assert await edit(fixed, "text") == "Bad Request: message can't be edited"
    assert await edit(photo, "text") == "Bad Request: there is no text in the message to edit"
    assert await edit(text, "x" * 4097) == "Bad Request: MESSAGE_TOO_LONG"
    caption = bot.edit_message_caption(chat_id=CHAT, message_id=text, caption="c")
    assert await refusal(caption) == "Bad Request: there is no caption in the message to edit"
    markup = bot.edit_message_reply_markup(chat_id=CHAT, message_id=text, reply_markup=keyboard())
    assert await refusal(markup) == NOT_MODIFIED
    photo_without_file = bot.edit_message_media(
        InputMediaPhoto(media="attach://nothing"), chat_id=CHAT, message_id=text
    )
    assert await refusal(photo_without_file) == "Bad Request: there is no photo in the request"


async def test_sends_are_refused_in_telegrams_words(bot: Bot) -> None:
    """No chat, nothing to say, too much to say, a button too fat, nobody to reply to, bad HTML."""
    assert await refusal(bot.send_message(404, "x")) == "Bad Request: chat not found"
    assert await refusal(bot.send_message(CHAT, "")) == "Bad Request: message text is empty"
    assert await refusal(bot.send_message(CHAT, " ")) == "Bad Request: text must be non-empty"
    assert await refusal(bot.send_message(CHAT, "x" * 4097)) == "Bad Request: message is too long"
    long = bot.send_photo(CHAT, FILE, caption="x" * 1025)
    assert await refusal(long) == "Bad Request: message caption is too long"
    fat = bot.send_message(CHAT, "x", reply_markup=keyboard("ü" * 33))
    assert await refusal(fat) == "Bad Request: BUTTON_DATA_INVALID"
    orphan = bot.send_message(CHAT, "x", reply_parameters=ReplyParameters(message_id=99))
    assert await refusal(orphan) == "Bad Request: message to be replied not found"


@pytest.mark.parametrize("html", ["1 < 2", "<div>x</div>", "<b>x", "x</b>", "<b><i>x</b></i>"])
async def test_html_that_a_bot_forgot_to_escape_is_refused(bot: Bot, html: str) -> None:
    """The whole message is refused, as Telegram does."""
    text = await refusal(bot.send_message(CHAT, html, parse_mode="HTML"))

    assert text.startswith("Bad Request: can't parse entities: ")


async def test_deleting_skips_what_is_gone_but_one_message_must_be_there(api: BotApi, bot: Bot) -> None:
    """deleteMessages takes up to 100 ids, missing ones too; deleteMessage names the missing one."""
    theirs = api.updates.message(CHAT, "hello")["message"]["message_id"]
    ours = (await bot.send_message(CHAT, "a")).message_id
    other = (await bot.send_message(CHAT, "b")).message_id

    assert await bot.delete_messages(CHAT, [ours, theirs, 999])
    assert await bot.delete_message(CHAT, other)

    assert api.chats[CHAT].visible() == []
    assert api.chats[CHAT].deleted_ids == [ours, theirs, other]
    gone = bot.delete_message(CHAT, ours)
    assert await refusal(gone) == "Bad Request: message to delete not found"
    too_many = bot.delete_messages(CHAT, list(range(1, 102)))
    assert await refusal(too_many) == "Bad Request: too many message identifiers specified"
    none = bot.delete_messages(CHAT, [])
    assert await refusal(none) == "Bad Request: message identifiers are not specified"


@pytest.mark.parametrize(
    "chat_id, kind, text",
    [
        (CHAT, ChatType.PRIVATE, "Bad Request: message can't be deleted for everyone"),
        (GROUP, ChatType.GROUP, "Bad Request: message can't be deleted for everyone"),
        (SUPERGROUP, ChatType.SUPERGROUP, "Bad Request: message can't be deleted"),
    ],
)
async def test_after_48_hours_nothing_can_be_deleted(
    api: BotApi, bot: Bot, chat_id: int, kind: ChatType, text: str
) -> None:
    """One old message refuses the whole deleteMessages; what is younger stays."""
    api.chats.open(chat_id, kind)
    old = (await bot.send_message(chat_id, "old")).message_id
    api.clock.advance(timedelta(hours=48, seconds=2))
    young = (await bot.send_message(chat_id, "young")).message_id

    assert await refusal(bot.delete_message(chat_id, old)) == text
    assert await refusal(bot.delete_messages(chat_id, [young, old])) == text

    assert api.chats[chat_id].texts() == ["old", "young"]


async def test_a_bot_without_rights_deletes_only_its_own_messages_in_a_group(api: BotApi, bot: Bot) -> None:
    """What others write in a supergroup stays."""
    api.chats.open(SUPERGROUP, ChatType.SUPERGROUP)
    theirs = api.updates.message(SUPERGROUP, "hello", user_id=5)["message"]["message_id"]

    assert await refusal(bot.delete_message(SUPERGROUP, theirs)) == "Bad Request: message can't be deleted"


@pytest.mark.parametrize(
    "standing, text",
    [
        (Standing.BLOCKED, "Forbidden: bot was blocked by the user"),
        (Standing.DEACTIVATED, "Forbidden: user is deactivated"),
    ],
)
async def test_a_user_who_is_away_gets_nothing(api: BotApi, bot: Bot, standing: Standing, text: str) -> None:
    """Sends, edits and chat actions are forbidden; the chat itself is still known."""
    sent = (await bot.send_message(CHAT, "before")).message_id
    api.chats[CHAT].standing = standing
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: bot.send_message(CHAT, "after"),
        lambda: bot.edit_message_text("after", chat_id=CHAT, message_id=sent),
        lambda: bot.send_chat_action(CHAT, "typing"),
    ]

    assert [await refusal(call(), TelegramForbiddenError) for call in calls] == [text] * 3
    assert (await bot.get_chat(CHAT)).id == CHAT
    assert api.chats[CHAT].texts() == ["before"]


async def test_an_upgraded_group_names_its_new_id(api: BotApi, bot: Bot) -> None:
    """aiogram gets the id to migrate to, and the new chat takes messages."""
    api.chats.open(GROUP, ChatType.GROUP)
    api.chats.migrate(GROUP, SUPERGROUP)

    with pytest.raises(TelegramMigrateToChat) as moved:
        await bot.send_message(GROUP, "x")

    assert moved.value.migrate_to_chat_id == SUPERGROUP
    assert (await bot.send_message(moved.value.migrate_to_chat_id, "x")).chat.type == "supergroup"


async def test_private_chats_share_their_ids_and_a_supergroup_has_its_own(api: BotApi, bot: Bot) -> None:
    """So nobody may compute the id of the next message."""
    api.chats.open(8)
    api.chats.open(SUPERGROUP, ChatType.SUPERGROUP)

    ids = [(await bot.send_message(chat, "x")).message_id for chat in (CHAT, 8, CHAT, SUPERGROUP)]

    assert ids == [1, 2, 3, 1]


async def test_strangers_and_unknown_methods_are_told_so(api: BotApi, bot: Bot) -> None:
    """401 for a wrong token, 404 for a method that is not there."""
    assert await refusal(bot(GetChatMemberCount(chat_id=CHAT)), TelegramNotFound) == "Not Found"
    stranger = Bot("43:wrong", session=bot.session)
    assert await refusal(stranger.get_me(), TelegramUnauthorizedError) == "Unauthorized"
