"""What aiogram's routers do with one kind of events, found out once instead of at each event."""

import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

from aiogram import Router
from aiogram.dispatcher.event.bases import REJECTED, UNHANDLED, SkipHandler
from aiogram.dispatcher.event.handler import HandlerObject
from aiogram.dispatcher.event.telegram import TelegramEventObserver
from aiogram.types import TelegramObject

from gateway.dispatch.filter_checks import Data, checks_of, passes, prepared, states_first
from gateway.dispatch.fsm_context import quickened
from gateway.dispatch.likeness import observes_as_aiogram, propagates_as_aiogram, routes_as_aiogram
from gateway.dispatch.sources import Sources

Next: TypeAlias = Callable[[TelegramObject, Data], Awaitable[Any]]


class RouterPlan:
    """
    One router and those below it, for events of one kind.

    *data* is copied where aiogram copies it, so that nobody sees what was added for his sibling or below him.
    """

    def __init__(self, router: Router, kind: str, sources: Sources) -> None:
        self.sources = sources
        self._router = router
        self._outer: Next | None = None
        self._root_filters = checks_of(())
        self._trigger: Next | None = None
        observer = sources.add_router(router, kind)
        if observer is not None:
            if observer.outer_middleware:
                self._outer = _wrapped(observer.outer_middleware, self._inside)
            self._root_filters = checks_of(observer._handler.filters)  # noqa: SLF001 - aiogram keeps them there
            if observer.handlers:
                self._trigger = trigger_of(observer)
        below = [plan_of(child, kind, sources) for child in router.sub_routers]
        self._below = [plan for plan in below if plan.does_something]

    @property
    def does_something(self) -> bool:
        """False: an event would come back unhandled, and none of the bot's code have run."""
        return bool(self._outer or self._root_filters or self._trigger or self._below)

    async def propagate(self, event: TelegramObject, data: Data) -> Any:
        """Let the router have *event*, with *data* of its own: `Router.propagate_event`."""
        data["event_router"] = self._router
        if self._outer is not None:
            return await self._outer(event, data)
        return await self._propagate(event, data)

    async def _inside(self, event: TelegramObject, data: Data) -> Any:
        return await self._propagate(event, dict(data))

    async def _propagate(self, event: TelegramObject, data: Data) -> Any:
        """What is inside of the outer middlewares: `Router._propagate_event`."""
        if self._root_filters and not await passes(self._root_filters, event, data):
            return UNHANDLED
        if self._trigger is not None:
            response = await self._trigger(event, data)
            if response is REJECTED:
                return UNHANDLED
            if response is not UNHANDLED:
                return response
        for plan in self._below:
            response = await plan.propagate(event, data.copy())
            if response is not UNHANDLED:
                return response
        return UNHANDLED


class UnplannedRouter:
    """A router that does something in its own way, so that it and those below are left to it."""

    does_something = True

    def __init__(self, propagate_event: Callable[..., Awaitable[Any]], kind: str, sources: Sources) -> None:
        self.sources = sources
        self._propagate_event = propagate_event
        self._kind = kind

    async def propagate(self, event: TelegramObject, data: Data) -> Any:
        """Let the router have *event*."""
        return await self._propagate_event(update_type=self._kind, event=event, **data)


Plan: TypeAlias = RouterPlan | UnplannedRouter


def plan_of(router: Router, kind: str, sources: Sources) -> Plan:
    """Return how *router* deals with events of *kind*, and add to *sources* what that rests on."""
    if propagates_as_aiogram(router) and routes_as_aiogram(router, kind):
        return RouterPlan(router, kind, sources)
    return UnplannedRouter(router.propagate_event, kind, sources)


def plan_of_all(root: Router, kind: str, propagate_event: Callable[..., Awaitable[Any]]) -> Plan:
    """Return how *root* and all below it deal with events of *kind*; *propagate_event* is aiogram's way."""
    if routes_as_aiogram(root, kind):
        return RouterPlan(root, kind, Sources())
    return UnplannedRouter(propagate_event, kind, Sources())


class UpdatePlan:
    """The dispatcher's own observer: updates pass its middlewares, no root filters, and no other router."""

    def __init__(self, observer: TelegramEventObserver) -> None:
        self.sources = Sources()
        self.sources.add_observer(observer)
        self.feed: Next
        if observes_as_aiogram(observer):
            self.feed = _wrapped(map(quickened, observer.outer_middleware), trigger_of(observer))
        else:
            self.feed = functools.partial(observer.wrap_outer_middleware, observer.trigger)


def trigger_of(observer: TelegramEventObserver) -> Next:
    """Return what gives an event to the first handler that takes it: `TelegramEventObserver.trigger`."""
    inner = observer._resolve_middlewares()  # noqa: SLF001 - those of all routers from the root down to it
    steps = [
        (handler, *states_first(checks_of(handler.filters)), _wrapped(inner, _call_of(handler)))
        for handler in observer.handlers
    ]

    async def trigger(event: TelegramObject, data: Data) -> Any:
        data = dict(data)
        for handler, states, filters, call in steps:
            if states is not None and data.get("raw_state") not in states:
                continue
            data["handler"] = handler
            if filters and not await passes(filters, event, data):
                continue
            try:
                return await call(event, data)
            except SkipHandler:
                continue
        return UNHANDLED

    return trigger


def _call_of(handler: HandlerObject) -> Next:
    """Return what calls *handler*: `HandlerObject.call`."""

    @functools.wraps(handler.call)
    async def call(event: TelegramObject, data: Data) -> Any:
        if not handler.awaitable:
            return await handler.call(event, **data)
        return await handler.callback(event, **prepared(handler, data))

    return call


def _wrapped(middlewares: Iterable[Callable[..., Any]], innermost: Next) -> Next:
    """Return *innermost* within *middlewares*: `MiddlewareManager.wrap_middlewares`."""
    for middleware in reversed(tuple(middlewares)):
        innermost = functools.partial(middleware, innermost)
    return innermost
