"""Bots whose parts write down when they ran and what they saw, run by aiogram's dispatcher and by ours."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import count
from typing import Any, TypeAlias

from aiogram import Bot, Dispatcher, Router
from aiogram.dispatcher.event.handler import HandlerObject
from aiogram.dispatcher.event.telegram import TelegramEventObserver
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import BaseStorage, StorageKey
from aiogram.fsm.storage.memory import DisabledEventIsolation, MemoryStorage
from aiogram.types import ErrorEvent, Update

from gateway.dispatch.dispatcher import PlannedDispatcher

Entry: TypeAlias = tuple[str, Mapping[str, Any]]
Build: TypeAlias = Callable[[Dispatcher, "Trace"], object]

BOT = Bot("42:token")
STATE = "Shop:paying"


class Trace:
    """What has run, in order, each with what it saw then."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._threads: set[int] = set()

    def note(self, who: str, data: Mapping[str, Any]) -> None:
        """Write down that *who* ran and saw *data*."""
        self.entries.append((who, {name: described(value) for name, value in data.items()}))

    @property
    def who(self) -> list[str]:
        """Who has run."""
        return [who for who, _ in self.entries]

    def saw(self, who: str, name: str) -> Any:
        """Return what *who* saw under *name* when he first ran."""
        return next(data for ran, data in self.entries if ran == who).get(name)

    def middleware(self, who: str, **adds: Any) -> Any:
        """Return a middleware that adds to the data and calls on."""

        async def middleware(handler: Any, event: Any, data: dict[str, Any]) -> Any:
            self.note(who, data)
            data.update(adds)
            response = await handler(event, data)
            self.note(f"{who}, after", data)
            return response

        return middleware

    def handler(self, who: str, response: Any = None) -> Callable[..., Awaitable[Any]]:
        """Return a handler that returns *response*, or raises it."""

        async def handler(event: Any, **data: Any) -> Any:
            self.note(who, {"event": event, **data})
            if isinstance(response, BaseException):
                raise response
            return response

        handler.__name__ = who
        return handler

    def asked(self, who: str, answer: Any = True) -> Callable[..., Awaitable[Any]]:
        """Return a filter that answers *answer*."""

        async def asked(event: Any, **data: Any) -> Any:
            self.note(who, {"event": event, **data})
            return answer

        return asked


def described(value: Any) -> Any:
    """Return what is alike for *value* in both runs, and differs if it should not."""
    match value:
        case HandlerObject():
            value = f"handler {getattr(value.callback, '__name__', value.callback)}"
        case Router():
            value = "dispatcher" if isinstance(value, Dispatcher) else f"router {value.name}"
        case FSMContext():
            value = value.key
        case BaseStorage() | TelegramEventObserver():
            value = type(value).__name__
        case Bot():
            value = value.id
        case ErrorEvent():
            value = repr(value.exception)
        case BaseException() | re.Match():
            value = repr(value)
    return value


async def run(
    dispatcher: Dispatcher, trace: Trace, updates: Iterable[Update], *, bot: Bot = BOT, **given: Any
) -> list[Any]:
    """Give *updates* to *dispatcher*, and return what came of each: a response, or an exception."""
    outcomes: list[Any] = []
    for update in updates:
        try:
            outcomes.append(await dispatcher.feed_update(bot, update, **given))
        except Exception as error:  # noqa: BLE001 - it is compared
            outcomes.append(repr(error))
        trace.note("end of an update", {"outcome": outcomes[-1]})
    return outcomes


async def alike(build: Build, *updates: Update, state: str | None = STATE, **given: Any) -> Trace:
    """
    Run the bot that *build* makes by aiogram's dispatcher and by ours, and return what ran.

    Fails unless all ran in the same order, with the same data, to the same end.
    """
    traces: list[Trace] = []
    updates = updates or (message(),)
    for kind in (Dispatcher, PlannedDispatcher):
        storage, trace = MemoryStorage(), Trace()
        await storage.set_state(StorageKey(bot_id=42, chat_id=501, user_id=501), state)
        dispatcher = kind(storage=storage, events_isolation=DisabledEventIsolation(), token="of the bot")
        build(dispatcher, trace)
        await run(dispatcher, trace, updates, **given)
        traces.append(trace)
    aiograms, ours = traces
    assert ours.who == aiograms.who, f"{ours.who}, in aiogram {aiograms.who}"
    for (who, data), (_, in_aiogram) in zip(ours.entries, aiograms.entries, strict=True):
        assert data == in_aiogram, f"{who}: {sorted(n for n in data if data[n] != in_aiogram.get(n))}"
    return ours


_numbers = count(1)


def update(**kind: Any) -> Update:
    """An update that Telegram tells of."""
    return Update.model_validate({"update_id": next(_numbers), **kind}, context={"bot": BOT})


def message(text: str = "tea", **more: Any) -> Update:
    """A message of user 501 in private."""
    return update(message=content(text, **more))


def content(text: str = "tea", **more: Any) -> dict[str, Any]:
    """Return the message itself."""
    private = {"id": 501, "type": "private", "first_name": "Ada"}
    return {"message_id": 1, "date": 1700000000, "chat": private, "from": USER, "text": text, **more}


USER: Mapping[str, Any] = {"id": 501, "is_bot": False, "first_name": "Ada"}
