"""One effect to Telegram: edit or send, delete, call; and what Telegram's answer means."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from itertools import groupby
from typing import Any

import aiogram.methods
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import InlineKeyboardMarkup, LinkPreviewOptions, Message

from state.conversation import Conversation
from state.outbox import Effect, EffectKind
from state.screen import ShownBlock, parse_place

#: Telegram's own words, since its error codes do not tell these apart.
_NOT_MODIFIED = "message is not modified"
_CANNOT_EDIT = (
    "message to edit not found",
    "message can't be edited",
    "MESSAGE_ID_INVALID",
    "there is no text in the message to edit",
)
#: https://core.telegram.org/bots/api#deletemessages
_DELETE_AT_ONCE = 100
#: A call that has not been answered for so long is tried again.
_ANSWER_SECONDS = 20
#: After Telegram failed or did not answer.
_FAILURE_PAUSE = timedelta(seconds=1)


class Outcome(Enum):
    """What became of one effect at Telegram."""

    DONE = "done"
    """The chat is as it should be."""
    LATER = "later"
    """Not now; the same effect is tried again after the pause."""
    REFUSED = "refused"
    """Telegram will never do it: the user has blocked the bot, the chat is gone, the call is wrong."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Telegram's answer to one effect."""

    outcome: Outcome
    sent: Message | None = None
    """The new message, if one was sent."""
    pause: timedelta = timedelta(0)
    reason: str = ""


class Sender:
    """Does effects, each by as few calls of the Bot API as it takes."""

    async def do(  # noqa: PLR0911 - one return for each thing that Telegram can say
        self, bot: Bot, conversation: Conversation, effect: Effect, shown: ShownBlock | None
    ) -> Answer:
        """Do *effect* in *conversation*; *shown* is where the effect's block stands now, if it does."""
        try:
            match effect.kind:
                case EffectKind.SHOW:
                    return await self._show(bot, conversation, effect.payload, shown)
                case EffectKind.NOTICE:
                    return await self._send(bot, conversation, effect.payload)
                case EffectKind.DELETE:
                    return await self._delete(bot, effect.payload["places"])
                case EffectKind.CALL:
                    await bot(_method(effect.payload), request_timeout=_ANSWER_SECONDS)
                    return Answer(Outcome.DONE)
        except TelegramRetryAfter as error:
            return Answer(Outcome.LATER, pause=timedelta(seconds=error.retry_after), reason="429")
        except (TelegramNetworkError, TelegramServerError, TelegramUnauthorizedError) as error:
            return Answer(Outcome.LATER, pause=_FAILURE_PAUSE, reason=error.message)
        except TelegramAPIError as error:
            return Answer(Outcome.REFUSED, reason=error.message)

    async def _show(
        self, bot: Bot, conversation: Conversation, payload: dict[str, Any], shown: ShownBlock | None
    ) -> Answer:
        """Edit the block's message; send a new one if there is none, or it cannot be edited any more."""
        if shown is None:
            return await self._send(bot, conversation, payload)
        try:
            await bot.edit_message_text(
                chat_id=shown.chat_id,
                message_id=shown.message_id,
                business_connection_id=conversation.business_connection_id,
                request_timeout=_ANSWER_SECONDS,
                **_content(payload),
            )
        except TelegramBadRequest as error:
            if any(words in error.message for words in _CANNOT_EDIT):
                return await self._send(bot, conversation, payload)
            if _NOT_MODIFIED not in error.message:
                raise
        return Answer(Outcome.DONE)

    async def _send(self, bot: Bot, conversation: Conversation, payload: dict[str, Any]) -> Answer:
        sent = await bot.send_message(
            chat_id=conversation.chat_id,
            message_thread_id=conversation.thread_id,
            business_connection_id=conversation.business_connection_id,
            request_timeout=_ANSWER_SECONDS,
            **_content(payload),
        )
        return Answer(Outcome.DONE, sent)

    async def _delete(self, bot: Bot, places: list[str]) -> Answer:
        """Delete messages, a hundred at a time; those that are gone already do not matter."""
        for chat_id, of_chat in groupby(sorted(map(parse_place, places)), key=lambda place: place[0]):
            message_ids = [message_id for _, message_id in of_chat]
            for first in range(0, len(message_ids), _DELETE_AT_ONCE):
                await self._delete_batch(bot, chat_id, message_ids[first : first + _DELETE_AT_ONCE])
        return Answer(Outcome.DONE)

    async def _delete_batch(self, bot: Bot, chat_id: int, message_ids: list[int]) -> None:
        try:
            await bot.delete_messages(chat_id, message_ids, request_timeout=_ANSWER_SECONDS)
        except TelegramBadRequest:
            # One message that cannot be deleted (older than 48 h) refuses its whole batch.
            for message_id in message_ids:
                await self._delete_one(bot, chat_id, message_id)

    async def _delete_one(self, bot: Bot, chat_id: int, message_id: int) -> None:
        """Delete one message; what is too old to be deleted loses its buttons at least."""
        try:
            await bot.delete_message(chat_id, message_id, request_timeout=_ANSWER_SECONDS)
        except TelegramBadRequest as error:
            if "can't be deleted" not in error.message:
                return
            try:
                await bot.edit_message_reply_markup(
                    chat_id=chat_id, message_id=message_id, request_timeout=_ANSWER_SECONDS
                )
            except TelegramBadRequest:
                return


def _content(payload: dict[str, Any]) -> dict[str, Any]:
    keyboard = payload["keyboard"]
    return {
        "text": payload["text"],
        "parse_mode": payload["parse_mode"],
        "link_preview_options": LinkPreviewOptions(is_disabled=not payload["link_preview"]),
        "reply_markup": InlineKeyboardMarkup.model_validate(keyboard) if keyboard else None,
    }


def _method(payload: dict[str, Any]) -> TelegramMethod[Any]:
    method: type[TelegramMethod[Any]] = getattr(aiogram.methods, payload["method"])
    return method.model_validate(payload["arguments"])
