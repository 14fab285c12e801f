"""What is registered after an update has come counts for the next one."""

from collections.abc import Callable
from typing import Any

import pytest
from aiogram import Dispatcher, F, Router
from aiogram.dispatcher.event.telegram import TelegramEventObserver
from aiogram.fsm.storage.memory import DisabledEventIsolation

from gateway.dispatch.dispatcher import PlannedDispatcher
from tests.unit.dispatch.traces import Trace, message, run

Change = Callable[[Dispatcher, Router, Trace], object]


def replace_handlers(_: Dispatcher, router: Router, trace: Trace) -> None:
    """What the author does who takes handlers away: aiogram has no method for it."""
    router.message.handlers = []
    router.message()(trace.handler("new"))


def replace_routers(dispatcher: Dispatcher, router: Router, trace: Trace) -> None:
    """The same with routers."""
    dispatcher.sub_routers = [Router(name="new")]
    dispatcher.sub_routers[0].message()(trace.handler("new"))


def inject(_: Dispatcher, router: Router, trace: Trace) -> None:
    """A container of dependencies wraps callbacks where they stand."""
    handler, new = router.message.handlers[0], trace.handler("new")
    handler.callback, handler.params, handler.varkw = new, set(), True


CHANGES: dict[str, Change] = {
    "a handler": lambda _, router, trace: router.message()(trace.handler("new")),
    "a handler above": lambda dispatcher, _, trace: dispatcher.message()(trace.handler("new")),
    "a handler of errors": lambda dispatcher, _, trace: dispatcher.error()(trace.handler("new", "done")),
    "a root filter": lambda _, router, trace: router.message.filter(trace.asked("new", False)),
    "a root filter above": lambda dispatcher, _, trace: dispatcher.message.filter(trace.asked("new", False)),
    "an outer middleware": lambda _, router, trace: router.message.outer_middleware(trace.middleware("new")),
    "an inner middleware": lambda _, router, trace: router.message.middleware(trace.middleware("new")),
    "an inner middleware above": lambda root, _, trace: root.message.middleware(trace.middleware("new")),
    "a middleware of updates": lambda root, _, trace: root.update.outer_middleware(trace.middleware("new")),
    "an inner one of updates": lambda root, _, trace: root.update.middleware(trace.middleware("new")),
    "a handler of updates": lambda root, _, trace: root.update.handlers.insert(
        0, _registered(trace.handler("new"))
    ),
    "a handler is taken away": lambda _, router, __: router.message.handlers.clear(),
    "other handlers": replace_handlers,
    "other routers": replace_routers,
    "another callback": inject,
}


def _registered(callback: Any) -> Any:
    observer = TelegramEventObserver(Router(), "message")
    observer.register(callback)
    return observer.handlers[0]


@pytest.mark.parametrize("change", CHANGES)
async def test_what_is_registered_later_counts_from_the_next_update_on(change: str) -> None:
    """For the routers, the handlers, the middlewares and the filters that there are."""
    traces = []
    for kind in (Dispatcher, PlannedDispatcher):
        dispatcher, trace = kind(events_isolation=DisabledEventIsolation()), Trace()
        router, below = Router(name="router"), Router(name="below")
        dispatcher.include_router(router)
        router.include_router(below)
        router.message(F.text == "tea")(trace.handler("handler"))
        below.message()(trace.handler("below", ValueError("broken")))
        await run(dispatcher, trace, [message("tea"), message("coffee")])
        CHANGES[change](dispatcher, router, trace)
        await run(dispatcher, trace, [message("tea"), message("coffee")])
        traces.append(trace.who)

    assert traces[1] == traces[0]
    assert traces[1][:4] == ["handler", "end of an update", "below", "end of an update"]
    assert traces[1][4:] != traces[1][:4]
