"""One effect to Telegram: edit or send, delete, call; by as few calls of the Bot API as it takes."""

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import aiogram.methods
from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramAPIError, TelegramBadRequest
from aiogram.methods import TelegramMethod
from pydantic import ValidationError

from gateway.answers import EDIT_IMPOSSIBLE, FAILURE_PAUSE, Answer, Cause, Outcome, answer_of, cause_of
from gateway.contents import Destination, editing, media_of, sending
from gateway.removal import Removal
from state.conversation import Conversation
from state.outbox import Effect, EffectKind
from state.screen import ShownBlock

_MAKES_MESSAGES = ("Send", "Forward", "Copy")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Sender:
    """Does effects."""

    def __init__(
        self,
        now_ms: Callable[[], int] = _now_ms,
        *,
        paid_broadcast: Collection[int] = frozenset(),
        answer_seconds: int = 20,
    ) -> None:
        """
        *paid_broadcast* are the bots that pay for more than Telegram's free 30 messages a second.

        A call that has not been answered after *answer_seconds* is given up.
        """
        self._now_ms = now_ms
        self._answer_seconds = answer_seconds
        self._paid_broadcast = paid_broadcast

    async def do(  # noqa: PLR0911 - one return for each thing that can be asked or answered
        self,
        bot: Bot,
        conversation: Conversation,
        effect: Effect,
        shown: ShownBlock | None,
        *,
        moved_to: int | None = None,
    ) -> Answer:
        """
        Do *effect* in *conversation*.

        *shown* is where the effect's block stands now, if it does; *moved_to* the supergroup that the
        effect's group has become.
        """
        payload = effect.payload
        to = Destination.of(conversation, payload, shown, moved_to=moved_to)
        try:
            match effect.kind:
                case EffectKind.SHOW:
                    return await self._show(bot, payload, shown, to)
                case EffectKind.NOTICE:
                    return await self._send(bot, payload, to)
                case EffectKind.DELETE:
                    removal = Removal(
                        bot,
                        payload,
                        business_connection_id=conversation.business_connection_id,
                        answer_seconds=self._answer_seconds,
                        now_ms=self._now_ms,
                    )
                    return await removal.run()
                case EffectKind.CALL:
                    return await self._call(bot, payload, moved_to)
        except TelegramAPIError as error:
            return answer_of(error)
        except ClientDecodeError as error:
            if _was_done(error):
                return Answer(Outcome.DONE, reason=error.message)
            # A proxy in between answered, not Telegram.
            return Answer(Outcome.LATER, Cause.SERVER, FAILURE_PAUSE, str(error))
        except OSError as error:
            return Answer(Outcome.REFUSED, Cause.WRONG, reason=f"no file to send: {error}")

    async def _show(
        self, bot: Bot, payload: dict[str, Any], shown: ShownBlock | None, to: Destination
    ) -> Answer:
        """Edit the block's message; send a new one if there is none, or it cannot be edited into this."""
        if shown is None or shown.chat_id != to.chat_id:
            return await self._send(bot, payload, to)
        edit = None if payload.get("anew") else editing(payload, shown, to)
        if edit is None:
            return await self._send(bot, payload, to, replacing=shown)
        cause: Cause | None = None
        try:
            await bot(edit, request_timeout=self._answer_seconds)
        except TelegramBadRequest as error:
            cause = cause_of(error)
            if cause in EDIT_IMPOSSIBLE:
                return await self._send(bot, payload, to, replacing=shown, cause=cause)
            if cause is not Cause.NOT_MODIFIED:
                raise
        except ClientDecodeError as error:
            if not _was_done(error):
                raise
        return Answer(Outcome.DONE, cause, shown=replace(shown, media=media_of(payload)))

    async def _call(self, bot: Bot, payload: dict[str, Any], moved_to: int | None) -> Answer:
        arguments = payload["arguments"]
        if moved_to is not None:
            arguments = {**arguments, "chat_id": moved_to}
        try:
            kind: type[TelegramMethod[Any]] = getattr(aiogram.methods, payload["method"])
            method = kind.model_validate(arguments)
        except (AttributeError, ValidationError) as error:
            return Answer(Outcome.REFUSED, Cause.WRONG, reason=f"no call of the Bot API: {error}")
        try:
            await bot(method, request_timeout=self._answer_seconds)
        except TelegramAPIError as error:
            return _unsent(error) if payload["method"].startswith(_MAKES_MESSAGES) else answer_of(error)
        return Answer(Outcome.DONE)

    async def _send(
        self,
        bot: Bot,
        payload: dict[str, Any],
        to: Destination,
        *,
        replacing: ShownBlock | None = None,
        cause: Cause | None = None,
    ) -> Answer:
        method = sending(payload, to, paid_broadcast=bot.id in self._paid_broadcast)
        try:
            sent = await bot(method, request_timeout=self._answer_seconds)
            chat_id, message_id, sent_at_ms = sent.chat.id, sent.message_id, int(sent.date.timestamp() * 1000)
        except TelegramAPIError as error:
            return _unsent(error)
        except ClientDecodeError as error:
            chat_id, message_id, sent_at_ms = _sent_all_the_same(error)
        new = ShownBlock(chat_id, message_id, sent_at_ms, media_of(payload), to.thread_id)
        gone = replacing is None or cause is Cause.TARGET_MISSING
        return Answer(Outcome.DONE, cause, new=new, shown=new, replaced=None if gone else replacing)


def _unsent(error: TelegramAPIError) -> Answer:
    """Return what *error* means for a call that makes a message."""
    answer = answer_of(error)
    return replace(answer, uncertain=answer.cause is Cause.AMBIGUOUS)


def _was_done(error: ClientDecodeError) -> bool:
    """Tell whether Telegram has done the call, and only what it returned is too new for aiogram."""
    return isinstance(error.data, dict) and error.data.get("ok") is True


def _sent_all_the_same(error: ClientDecodeError) -> tuple[int, int, int]:
    """
    Return chat, id and date in ms of the message that Telegram has sent, although aiogram cannot read it.

    Raises:
        ClientDecodeError: *error*, which tells of no message.
    """
    match error.data:
        case {
            "ok": True,
            "result": {"message_id": int(message_id), "date": int(date), "chat": {"id": int(chat_id)}},
        }:
            return chat_id, message_id, date * 1000
    raise error
