"""Bot API calls that a handler makes itself: noted, and not made again by its next run."""

import asyncio
import hashlib
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from typing import Any, Final

import orjson
import structlog
from aiogram import Bot
from aiogram.client.default import Default
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.methods import AnswerCallbackQuery, Response, SendChatAction, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import InputFile, Message
from pydantic import TypeAdapter

from state.errors import StoreUnavailable
from state.journal import Journal
from state.within import Within

log = structlog.get_logger(__name__)

#: A handler that ends before its calls do, cancelled say, waits so long for what came of them.
AWAIT_ANSWERS: Final = timedelta(seconds=5)
#: The same where a user's payment waits.
AWAIT_ANSWERS_BRIEFLY: Final = timedelta(seconds=0.5)

_watching: ContextVar["DirectCalls | None"] = ContextVar("direct_calls", default=None)


class DirectCalls:
    """What one run of a handler asks Telegram for, and what earlier runs have been answered."""

    def __init__(self, journal: Journal) -> None:
        self.sent: list[Message] = []
        self.answered_callback = False
        self._journal = journal
        self._made: dict[str, int] = {}
        self.under_way: set[asyncio.Task[Any]] = set()
        """Calls that Telegram has not answered yet."""

    def watch(self) -> "Within[DirectCalls | None]":
        """Note the calls that are made within the ``with`` block."""
        return Within(_watching, self)

    async def make(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Any:
        """
        Return what came of the call in an earlier run; otherwise make it, and record what comes of it.

        Raises:
            StoreUnavailable: another worker may be at this event, so nothing is called.
        """
        name = name_of(bot, method)
        self._made[name] = made = self._made.get(name, 0) + 1
        name = f"{name} {made}"
        recorded = self._journal.recall(name)
        if recorded is not None:
            result = _result_type(type(method)).validate_json(recorded, context={"bot": bot})
            self._note(method, result)
            return result
        self.must_be_ours()
        # A handler that is cancelled must not leave it unknown whether its message was sent.
        making = asyncio.create_task(self._make(name, make_request, bot, method), name=name)
        self.under_way.add(making)
        making.add_done_callback(self._ended)
        return await asyncio.shield(making)

    def must_be_ours(self) -> None:
        """
        Make sure that no other worker is at the handler's event.

        Raises:
            StoreUnavailable: one may be.
        """
        self._journal.must_be_ours()

    async def _make(
        self,
        name: str,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Any:
        result: Any = await make_request(bot, method)
        self._note(method, result)
        kept = _result_type(type(method)).dump_json(result, by_alias=True, exclude_unset=True, warnings=False)
        try:
            await self._journal.record(name, kept)
        except StoreUnavailable as error:
            log.warning("the store is away; a call is remembered here only", call=name, error=str(error))
        return result

    def _ended(self, making: asyncio.Task[Any]) -> None:
        self.under_way.discard(making)
        if not making.cancelled():
            # The handler has had it, or is gone.
            making.exception()

    async def answers(self, limit: timedelta = AWAIT_ANSWERS) -> None:
        """Return when every call that was begun has been answered, or *limit* is over."""
        if self.under_way:
            await asyncio.wait(self.under_way, timeout=limit.total_seconds())

    def has_made(self, *methods: type[TelegramMethod[Any]]) -> bool:
        """Tell whether this or an earlier run has called one of *methods*, and Telegram took it."""
        return any(
            _method_of(name) in {method.__name__ for method in methods} for name in self._journal.calls
        )

    def _note(self, method: TelegramMethod[Any], result: Any) -> None:
        if isinstance(method, AnswerCallbackQuery):
            self.answered_callback = True
        if type(method).__name__.startswith(("Send", "Forward")):
            results = result if isinstance(result, list) else [result]
            self.sent += [message for message in results if isinstance(message, Message)]


def must_be_ours() -> None:
    """
    Make sure, before a message goes out that has waited for its turn, that its handler's event is still ours.

    Raises:
        StoreUnavailable: another worker may be at it.
    """
    calls = _watching.get()
    if calls is not None:
        calls.must_be_ours()


class WatchDirectCalls(BaseRequestMiddleware):
    """aiogram's session lets whoever watches make the call."""

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        calls = _watching.get()
        if calls is None or not leaves_something(method):
            return await make_request(bot, method)
        return await calls.make(make_request, bot, method)  # type: ignore[no-any-return]  # aiogram names the response, its session returns the result


def leaves_something(method: TelegramMethod[Any]) -> bool:
    """Tell whether making the call twice would differ from making it once."""
    return not isinstance(method, SendChatAction) and not type(method).__name__.startswith("Get")


def name_of(bot: Bot, method: TelegramMethod[Any]) -> str:
    """Return the same name for the same call in each run of a handler: its bot, its method, its arguments."""
    arguments = method.model_dump(exclude_none=True, warnings=False)
    packed = orjson.dumps(arguments, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return f"{bot.id} {type(method).__name__} {hashlib.sha256(packed).hexdigest()[:32]}"


def _method_of(name: str) -> str:
    return name.split()[1]


def _plain(value: Any) -> Any:
    """Return what tells *value* from another one in each process alike."""
    if isinstance(value, InputFile):
        return {"file": {name: part for name, part in vars(value).items() if name != "bot"}}
    if isinstance(value, Default):
        return {"default": value.name}
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return (
        str(value) if isinstance(value, timedelta) or hasattr(value, "__fspath__") else type(value).__name__
    )


@cache
def _result_type(method: type[TelegramMethod[Any]]) -> TypeAdapter[Any]:
    return TypeAdapter(method.__returning__)
