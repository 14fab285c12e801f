"""Messages that a bot's own code sends, under the same limits as those that delivery sends."""

import asyncio
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Final

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramForbiddenError, TelegramRetryAfter
from aiogram.methods import Response, SendChatAction, TelegramMethod
from aiogram.methods.base import TelegramType

from gateway.answers import cause_of
from gateway.direct_calls import must_be_ours
from gateway.lane import SENDING
from gateway.rate_limits import RateLimits
from state.budgets import Closed, Open
from state.chats import Chats
from state.conversation import Conversation
from state.errors import StoreUnavailable
from state.within import Within

log = structlog.get_logger(__name__)

#: A handler is not held up for longer; then Telegram decides.
LONGEST_WAIT: Final = timedelta(seconds=5)

_delivers: ContextVar[bool] = ContextVar("delivers", default=False)
_there: ContextVar[int | None] = ContextVar("there", default=None)


def delivers() -> None:
    """Say that what this task calls has been let go already: it is delivery's."""
    _delivers.set(True)


def somebody_is_there(chat_id: int | None) -> Within[int | None]:
    """Say that within the ``with`` block a person has just done something in this chat; None: nobody has."""
    return Within(_there, chat_id)


class PaceCalls(BaseRequestMiddleware):
    """
    Waits for the bot's turn before a message of its own code goes out.

    The chat's budget is charged too, and not waited for: Telegram allows short bursts. A 429 is told to all
    processes and waited for if it is short; a chat that takes nothing costs no call.
    """

    def __init__(self, limits: RateLimits, chats: Chats) -> None:
        self._limits = limits
        self._chats = chats

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        target = _target_of(bot, method)
        if target is None or _delivers.get():
            return await make_request(bot, method)
        opened = await self._let_go(target, method)
        must_be_ours()
        try:
            return await make_request(bot, method)
        except TelegramRetryAfter as error:
            lasts = timedelta(seconds=error.retry_after)
            await self._tell(self._limits.refused(target, lasts, of_chat=not (opened and opened.quiet)))
            if lasts > LONGEST_WAIT:
                raise
            await asyncio.sleep(lasts.total_seconds())
            must_be_ours()
            return await make_request(bot, method)
        except TelegramForbiddenError as error:
            await self._tell(self._chats.close(target, cause_of(error).value))
            raise

    async def _let_go(self, target: Conversation, method: TelegramMethod[Any]) -> Open | None:
        """
        Return when the message may go; None: it was not counted, for Redis is away or too much is waited for.

        Raises:
            TelegramForbiddenError: the chat is known to take nothing.
        """
        there = _there.get() == target.chat_id
        try:
            async with asyncio.timeout(LONGEST_WAIT.total_seconds()):
                await self._limits.turn(target.bot_id, awaited=there)
                while True:
                    opened = await self._limits.open(target, counts=True, block="", user_is_there=there)
                    if isinstance(opened, Closed):
                        self._limits.hand_on(target.bot_id)
                        said = f"Forbidden: not tried, the chat takes nothing ({opened.why})"
                        raise TelegramForbiddenError(method, said)
                    if isinstance(opened, Open):
                        return opened
                    if not opened.paused:
                        return None
                    await asyncio.sleep(opened.wait.total_seconds())
        except (TimeoutError, StoreUnavailable) as error:
            log.info("a message goes without its turn", chat=target.chat_id, reason=str(error))
            return None

    async def _tell(self, telling: Any) -> None:
        try:
            await telling
        except StoreUnavailable as error:
            log.warning("the store is away; other processes do not know of it", error=str(error))


def _target_of(bot: Bot, method: TelegramMethod[Any]) -> Conversation | None:
    chat_id = getattr(method, "chat_id", None)
    if not isinstance(chat_id, int) or isinstance(method, SendChatAction):
        return None
    if not type(method).__name__.startswith(SENDING):
        return None
    business: str | None = getattr(method, "business_connection_id", None)
    return Conversation(bot.id, chat_id, chat_id, business_connection_id=business)
