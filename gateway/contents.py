"""A block as calls of the Bot API: how it is sent, and how what stands in the chat is edited into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiogram.methods import (
    EditMessageCaption,
    EditMessageMedia,
    EditMessageText,
    SendDocument,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiogram.types import (
    FSInputFile,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
)

from state.conversation import Conversation
from state.screen import ShownBlock


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes: a chat, a topic in it, or the chat of a business that the bot serves."""

    chat_id: int
    thread_id: int | None = None
    business_connection_id: str | None = None

    @classmethod
    def of(
        cls,
        conversation: Conversation,
        payload: Mapping[str, Any],
        shown: ShownBlock | None,
        *,
        moved_to: int | None = None,
    ) -> "Destination":
        """
        Return where *payload* goes; *moved_to* is the supergroup that the conversation's group is now.

        A conversation whose strategy does not tell topics apart has no thread of its own; then the event's
        counts, or the one that the block stood in.
        """
        thread_id = conversation.thread_id or payload.get("thread_id") or (shown.thread_id if shown else None)
        return cls(moved_to or conversation.chat_id, thread_id, conversation.business_connection_id)


def media_of(payload: Mapping[str, Any]) -> str | None:
    """Return what `ShownBlock.media` is once *payload* is shown."""
    media = payload.get("media")
    return f"{media['kind']}:{media['file']}" if media else None


def sending(
    payload: Mapping[str, Any], to: Destination, *, paid_broadcast: bool = False
) -> TelegramMethod[Message]:
    """
    Return the call that sends *payload* as a new message.

    https://core.telegram.org/bots/api#paid-broadcasts
    """
    where: dict[str, Any] = {
        "chat_id": to.chat_id,
        "message_thread_id": to.thread_id,
        "business_connection_id": to.business_connection_id,
        "allow_paid_broadcast": paid_broadcast or None,
    }
    media = payload.get("media")
    if media is None:
        return SendMessage(**where, **_text(payload))
    if media["kind"] == "photo":
        return SendPhoto(**where, photo=_file(media), **_caption(payload))
    return SendDocument(**where, document=_file(media), **_caption(payload))


def editing(
    payload: Mapping[str, Any], shown: ShownBlock, to: Destination
) -> TelegramMethod[Message | bool] | None:
    """
    Return the call that edits *shown* into *payload*; None: Telegram turns no media into a text.

    https://core.telegram.org/bots/api#editmessagemedia
    """
    where: dict[str, Any] = {
        "chat_id": shown.chat_id,
        "message_id": shown.message_id,
        "business_connection_id": to.business_connection_id,
    }
    media = payload.get("media")
    if media is None:
        return EditMessageText(**where, **_text(payload)) if shown.media is None else None
    if shown.media == media_of(payload):
        return EditMessageCaption(**where, **_caption(payload))
    kind = InputMediaPhoto if media["kind"] == "photo" else InputMediaDocument
    return EditMessageMedia(
        **where,
        media=kind(media=_file(media), caption=payload["text"], parse_mode=payload["parse_mode"]),
        reply_markup=_keyboard(payload),
    )


def _text(payload: Mapping[str, Any]) -> dict[str, Any]:
    preview = payload["link_preview"]
    options = {"is_disabled": not preview} if isinstance(preview, bool) else preview
    return {
        "text": payload["text"],
        "parse_mode": payload["parse_mode"],
        "link_preview_options": LinkPreviewOptions.model_validate(options),
        "reply_markup": _keyboard(payload),
    }


def _caption(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "caption": payload["text"],
        "parse_mode": payload["parse_mode"],
        "reply_markup": _keyboard(payload),
    }


def _keyboard(payload: Mapping[str, Any]) -> InlineKeyboardMarkup | None:
    keyboard = payload["keyboard"]
    return InlineKeyboardMarkup.model_validate(keyboard) if keyboard else None


def _file(media: Mapping[str, Any]) -> str | InputFile:
    """
    Return what names the file.

    Raises:
        FileNotFoundError: it is not on this machine. Found out half way through the upload, it would look
            like a failure of the network and be tried again.
    """
    if not media["local"]:
        return str(media["file"])
    if not Path(media["file"]).is_file():
        raise FileNotFoundError(media["file"])
    return FSInputFile(media["file"])
