"""Whether routers and observers do what aiogram's own do, or have methods of their own for it."""

from typing import Final

from aiogram import Router
from aiogram.dispatcher.event.handler import HandlerObject
from aiogram.dispatcher.event.telegram import TelegramEventObserver
from aiogram.dispatcher.middlewares.manager import MiddlewareManager

_METHODS: Final = ("trigger", "check_root_filters", "wrap_outer_middleware", "_resolve_middlewares")


def propagates_as_aiogram(router: Router) -> bool:
    """Tell whether *router* takes events from its parent as aiogram's do."""
    return _is_of(Router, router, "propagate_event")


def routes_as_aiogram(router: Router, kind: str) -> bool:
    """Tell whether *router* does with events of *kind* what aiogram's do once they are there."""
    observer = router.observers.get(kind)
    return _is_of(Router, router, "_propagate_event") and (observer is None or observes_as_aiogram(observer))


def observes_as_aiogram(observer: TelegramEventObserver) -> bool:
    """Tell whether *observer* asks filters, wraps middlewares and calls handlers as aiogram's do."""
    return (
        all(_is_of(TelegramEventObserver, observer, method) for method in _METHODS)
        and type(observer.outer_middleware) is MiddlewareManager
        and type(observer.middleware) is MiddlewareManager
        and all(type(handler) is HandlerObject for handler in observer.handlers)
    )


def _is_of(base: type, thing: object, method: str) -> bool:
    return method not in vars(thing) and getattr(type(thing), method) is getattr(base, method)
