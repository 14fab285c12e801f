"""Bot API calls that a handler makes itself, seen by the gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.methods import AnswerCallbackQuery, Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import Message

_watching: ContextVar["DirectCalls | None"] = ContextVar("direct_calls", default=None)


class DirectCalls:
    """What one run of a handler asked Telegram for."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.answered_callback = False

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Note the calls that are made within the ``with`` block."""
        mark = _watching.set(self)
        try:
            yield
        finally:
            _watching.reset(mark)

    def note(self, method: TelegramMethod[Any], result: Any) -> None:
        """Remember one call and what came back."""
        if isinstance(method, AnswerCallbackQuery):
            self.answered_callback = True
        if type(method).__name__.startswith(("Send", "Forward")):
            results = result if isinstance(result, list) else [result]
            self.sent += [message for message in results if isinstance(message, Message)]


class NoteDirectCalls(BaseRequestMiddleware):
    """aiogram's session tells whoever watches of each call."""

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        response: Any = await make_request(bot, method)
        if (calls := _watching.get()) is not None:
            calls.note(method, response)
        return response  # type: ignore[no-any-return]  # aiogram names the response, its session returns the result
