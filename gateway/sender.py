"""One effect to Telegram: edit or send, delete, call; by as few calls of the Bot API as it takes."""

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import aiogram.methods
from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramAPIError, TelegramBadRequest
from aiogram.methods import TelegramMethod

from gateway.answers import EDIT_IMPOSSIBLE, FAILURE_PAUSE, Answer, Cause, Outcome, answer_of, cause_of
from gateway.contents import Destination, editing, media_of, sending
from gateway.removal import Removal
from state.conversation import Conversation
from state.outbox import Effect, EffectKind
from state.screen import ShownBlock

#: A call that has not been answered for so long is tried again.
_ANSWER_SECONDS = 20


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Sender:
    """Does effects."""

    def __init__(
        self, now_ms: Callable[[], int] = _now_ms, *, paid_broadcast: Collection[int] = frozenset()
    ) -> None:
        """*paid_broadcast* are the bots that pay for more than Telegram's free 30 messages a second."""
        self._now_ms = now_ms
        self._paid_broadcast = paid_broadcast

    async def do(  # noqa: PLR0911 - one return for each thing that can be asked or answered
        self, bot: Bot, conversation: Conversation, effect: Effect, shown: ShownBlock | None
    ) -> Answer:
        """Do *effect* in *conversation*; *shown* is where the effect's block stands now, if it does."""
        payload = effect.payload
        try:
            match effect.kind:
                case EffectKind.SHOW:
                    return await self._show(bot, conversation, payload, shown)
                case EffectKind.NOTICE:
                    return await self._send(bot, payload, Destination.of(conversation, payload, None))
                case EffectKind.DELETE:
                    removal = Removal(
                        bot,
                        payload,
                        business_connection_id=conversation.business_connection_id,
                        answer_seconds=_ANSWER_SECONDS,
                        now_ms=self._now_ms,
                    )
                    return await removal.run()
                case EffectKind.CALL:
                    await bot(_method(payload), request_timeout=_ANSWER_SECONDS)
                    return Answer(Outcome.DONE)
        except TelegramAPIError as error:
            return answer_of(error)
        except ClientDecodeError as error:
            # A proxy in between answered, not Telegram.
            return Answer(Outcome.LATER, Cause.SERVER, FAILURE_PAUSE, str(error))
        except OSError as error:
            return Answer(Outcome.REFUSED, Cause.WRONG, reason=f"no file to send: {error}")

    async def _show(
        self, bot: Bot, conversation: Conversation, payload: dict[str, Any], shown: ShownBlock | None
    ) -> Answer:
        """Edit the block's message; send a new one if there is none, or it cannot be edited into this."""
        to = Destination.of(conversation, payload, shown)
        if shown is None:
            return await self._send(bot, payload, to)
        edit = None if payload.get("anew") else editing(payload, shown, to)
        if edit is None:
            return await self._send(bot, payload, to, replacing=shown)
        cause: Cause | None = None
        try:
            await bot(edit, request_timeout=_ANSWER_SECONDS)
        except TelegramBadRequest as error:
            cause = cause_of(error)
            if cause in EDIT_IMPOSSIBLE:
                return await self._send(bot, payload, to, replacing=shown, cause=cause)
            if cause is not Cause.NOT_MODIFIED:
                raise
        return Answer(Outcome.DONE, cause, shown=replace(shown, media=media_of(payload)))

    async def _send(
        self,
        bot: Bot,
        payload: dict[str, Any],
        to: Destination,
        *,
        replacing: ShownBlock | None = None,
        cause: Cause | None = None,
    ) -> Answer:
        paid = bot.id in self._paid_broadcast
        sent = await bot(sending(payload, to, paid_broadcast=paid), request_timeout=_ANSWER_SECONDS)
        new = ShownBlock(
            sent.chat.id,
            sent.message_id,
            int(sent.date.timestamp() * 1000),
            media_of(payload),
            to.thread_id,
        )
        gone = replacing is None or cause is Cause.TARGET_MISSING
        return Answer(Outcome.DONE, cause, new=new, shown=new, replaced=None if gone else replacing)


def _method(payload: dict[str, Any]) -> TelegramMethod[Any]:
    method: type[TelegramMethod[Any]] = getattr(aiogram.methods, payload["method"])
    return method.model_validate(payload["arguments"])
