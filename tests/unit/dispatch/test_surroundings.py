"""What surrounds the routers: the log line, the bot of an update, unknown updates, errors, other classes."""

import logging
import re
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, F, Router
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.dispatcher.event.handler import FilterObject, HandlerObject
from aiogram.dispatcher.event.telegram import TelegramEventObserver
from aiogram.filters import ExceptionTypeFilter
from aiogram.fsm.storage.base import StorageKey
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.types import TelegramObject, Update

from gateway import Gateway
from gateway.dispatch.dispatcher import PlannedDispatcher
from tests.unit.dispatch.traces import BOT, Trace, alike, content, message, run, update

KINDS = [Dispatcher, PlannedDispatcher]


def test_a_gateway_has_this_dispatcher() -> None:
    """With the storage that it is given."""
    storage = MemoryStorage()
    dispatcher = Gateway().dispatcher(storage)

    assert isinstance(dispatcher, PlannedDispatcher)
    assert dispatcher.storage is storage


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text, came_of_it", [("tea", "handled"), ("coffee", "not handled"), ("!", "not handled")]
)
async def test_the_log_says_what_came_of_an_update(
    kind: type[Dispatcher], text: str, came_of_it: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As aiogram says it, if its level is enabled."""
    dispatcher, trace, came = kind(), Trace(), message(text)
    dispatcher.message(F.text == "tea")(trace.handler("handler"))
    dispatcher.message(F.text == "!")(trace.handler("broken", ValueError("broken")))
    with caplog.at_level(logging.INFO, "aiogram.event"):
        await run(dispatcher, trace, [came])

    said = [re.sub(r"\d+ ms", "N ms", line) for line in caplog.messages]
    assert said == [f"Update id={came.update_id} is {came_of_it}. Duration N ms by bot id=42"]
    caplog.clear()
    with caplog.at_level(logging.WARNING, "aiogram.event"):
        await run(dispatcher, trace, [came])
    assert caplog.messages == []


@pytest.mark.parametrize("kind", KINDS)
async def test_an_update_is_mounted_to_the_bot_that_handles_it(kind: type[Dispatcher]) -> None:
    """One that is mounted already stays the same object; so does that of an equal bot."""
    dispatcher, equal, other = kind(), Bot("42:token"), Bot("43:token")
    seen: list[tuple[Update, Bot | None]] = []

    @dispatcher.message()
    async def handler(event: TelegramObject, event_update: Update) -> None:
        seen.append((event_update, event.bot))

    bare = Update.model_validate({"update_id": 1, "message": content()})
    mounted = message()
    for update_, bot in ((mounted, BOT), (mounted, equal), (bare, BOT), (mounted, other)):
        await dispatcher.feed_update(bot, update_)

    assert [bot for _, bot in seen] == [BOT, BOT, BOT, other]
    assert [came is mounted for came, _ in seen] == [True, True, False, False]
    assert [came.update_id for came, _ in seen[2:]] == [1, mounted.update_id]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_unknown_kind_of_update_is_warned_of_and_not_handled(kind: type[Dispatcher]) -> None:
    """Telegram is ahead of the installed aiogram."""
    with pytest.warns(RuntimeWarning, match="Detected unknown update type"):
        response = await kind().feed_update(BOT, update(something_new={"id": 1}))

    assert response is UNHANDLED


async def test_errors_go_to_the_handlers_of_errors_of_all_routers() -> None:
    """With what the dispatcher's own middlewares have put into the data; unhandled they go on."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        router = Router(name="router")
        dispatcher.include_router(router)
        router.message(F.text == "tea")(trace.handler("no tea", LookupError("tea")))
        router.message()(trace.handler("no coffee", ValueError("coffee")))
        router.error.outer_middleware(trace.middleware("outer of errors", added=1))
        router.error.middleware(trace.middleware("inner of errors"))
        router.error(ExceptionTypeFilter(LookupError))(trace.handler("sorry", "handled"))
        dispatcher.error(F.exception.args == ("nothing",))(trace.handler("never"))

    trace = await alike(build, message("tea"), message("coffee"))

    assert trace.who == [
        *("no tea", "outer of errors", "inner of errors", "sorry", "inner of errors, after"),
        *("outer of errors, after", "end of an update"),
        *("no coffee", "outer of errors", "outer of errors, after", "end of an update"),
    ]
    assert trace.saw("sorry", "added") == 1
    assert [data["outcome"] for who, data in trace.entries if who == "end of an update"] == [
        "handled",
        "ValueError('coffee')",
    ]


class Announcing(Router):
    """A router with a way of its own."""

    async def propagate_event(self, update_type: str, event: TelegramObject, **kwargs: Any) -> Any:
        """Add to the data."""
        return await super().propagate_event(update_type, event, **kwargs, announced=update_type)


class Refusing(Router):
    """A router that looks at events before it has them."""

    async def _propagate_event(self, *args: Any, **kwargs: Any) -> Any:
        return UNHANDLED


class Counting(TelegramEventObserver):
    """An observer with a way of its own."""

    async def trigger(self, event: TelegramObject, **kwargs: Any) -> Any:
        """Add to the data."""
        return await super().trigger(event, **kwargs, counted=1)


class Unfiltered(HandlerObject):
    """A handler with a way of its own."""

    async def check(self, *args: Any, **kwargs: Any) -> tuple[bool, dict[str, Any]]:
        """Let all pass."""
        return True, kwargs


class Yes(FilterObject):
    """A filter with a way of its own."""

    async def call(self, *args: Any, **kwargs: Any) -> Any:
        """Let all pass."""
        return {"yes": 1}


async def test_classes_with_methods_of_their_own_keep_them() -> None:
    """Routers, observers, handlers, filters, and methods that were put on one object: each way is gone."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        announcing, refusing, counting = Announcing(name="1"), Refusing(name="2"), Router(name="3")
        patched, last = Router(name="4"), Router(name="5")
        dispatcher.include_routers(announcing, refusing, counting, patched, last)
        counting.message = counting.observers["message"] = Counting(counting, "message")
        for router in (announcing, refusing, counting, patched):
            router.message(trace.asked(f"filter of {router.name}", False))(trace.handler("never"))
            below = Router(name=f"below {router.name}")
            router.include_router(below)
            below.message(trace.asked(f"filter of {below.name}", False))(trace.handler("never"))
        trigger = patched.message.trigger

        async def noted(event: TelegramObject, **kwargs: Any) -> Any:
            trace.note("patched", kwargs)
            return await trigger(event, **kwargs)

        patched.message.trigger = noted  # type: ignore[method-assign]  # that is the point
        handler = Unfiltered(trace.handler("unfiltered"), filters=[FilterObject(trace.asked("never", False))])
        last.message.handlers.append(handler)
        dispatcher.message(F.text == "nothing")(trace.handler("never"))
        dispatcher.message.handlers[0].filters = [Yes(F.photo), FilterObject(trace.asked("yes", False))]

    trace = await alike(build)

    assert trace.who == [
        *("yes", "filter of 1", "filter of below 1", "filter of 3", "filter of below 3"),
        *("patched", "filter of 4", "filter of below 4", "unfiltered", "end of an update"),
    ]
    assert trace.saw("yes", "yes") == 1
    assert trace.saw("filter of below 1", "announced") == "message"
    assert trace.saw("filter of 3", "counted") == 1


@pytest.mark.parametrize("own", ["updates", "messages", "routing"])
async def test_a_dispatcher_with_methods_of_its_own_keeps_them(own: str) -> None:
    """Put on the object, or of a class."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        async def refuse(*_: Any, **kwargs: Any) -> Any:
            trace.note("own", kwargs)
            return UNHANDLED

        target: Any = {
            "updates": dispatcher.update,
            "messages": dispatcher.message,
            "routing": dispatcher,
        }[own]
        setattr(target, "_propagate_event" if own == "routing" else "trigger", refuse)
        dispatcher.message()(trace.handler("handler"))

    trace = await alike(build)

    assert trace.who == ["own", "end of an update"]


async def test_kinds_of_events_that_aiogram_does_not_know_come_this_way_too() -> None:
    """aiogram-dialog has an observer of its own on each router, and updates of its own for it."""

    class Opened(Update):
        """An update that no Telegram sends."""

        @property
        def event_type(self) -> str:
            return "opened"

        @property
        def event(self) -> TelegramObject:
            return self.message  # type: ignore[return-value]  # there is one

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        first, second = Router(name="first"), Router(name="second")
        dispatcher.include_router(first)
        first.include_router(second)
        second.observers["opened"] = TelegramEventObserver(second, "opened")
        second.observers["opened"].register(trace.handler("handler", "done"))

    opened = Opened.model_validate({"update_id": 1, "message": content()}, context={"bot": BOT})
    trace = await alike(build, opened)
    assert trace.who == ["handler", "end of an update"]

    for kind in KINDS:
        dispatcher, trace = kind(), Trace()
        build(dispatcher, trace)
        assert await dispatcher.propagate_event("update", opened, bot=BOT, event_from_user=None) == "done"
        late = dispatcher.sub_routers[0]
        assert await dispatcher.propagate_event("closed", opened) is UNHANDLED
        late.observers["closed"] = TelegramEventObserver(late, "closed")
        late.observers["closed"].register(trace.handler("late", "too"))
        assert await dispatcher.propagate_event("closed", opened) == "too"


async def test_an_isolation_of_the_bots_own_holds() -> None:
    """The gateway needs none; a dispatcher that has one enters it before the state is read."""
    order: list[str] = []

    class Isolation(SimpleEventIsolation):
        """It tells when it is entered."""

        def lock(self, key: StorageKey) -> Any:
            """Note it."""
            order.append(f"lock {key.user_id}")
            return super().lock(key)

    class Storage(MemoryStorage):
        """It tells when it is read."""

        async def get_state(self, key: StorageKey) -> str | None:
            """Note it."""
            order.append("state")
            return await super().get_state(key)

    dispatcher = PlannedDispatcher(storage=Storage(), events_isolation=Isolation())
    await dispatcher.feed_update(BOT, message())

    assert order == ["lock 501", "state"]
