"""A webhook gateway for Telegram bots: what bot authors use."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.director import Director
    from gateway.feature import Feature, apply, dead_letter, ignore, park
    from gateway.garbage_filter import IsGarbageStateFilter
    from gateway.gateway import Gateway
    from gateway.orchestrator import Guard, Orchestrator
    from gateway.timer_event import TimerFired
    from gateway.view_sender import ViewSender
    from gateway.views import Block, View
else:
    from importlib import import_module

    # Each is imported when it is first asked for: aiogram takes seconds, and most commands need none of it.
    _HOMES = {
        "Block": "gateway.views",
        "Director": "gateway.director",
        "Feature": "gateway.feature",
        "Gateway": "gateway.gateway",
        "Guard": "gateway.orchestrator",
        "IsGarbageStateFilter": "gateway.garbage_filter",
        "Orchestrator": "gateway.orchestrator",
        "TimerFired": "gateway.timer_event",
        "View": "gateway.views",
        "ViewSender": "gateway.view_sender",
        "apply": "gateway.feature",
        "dead_letter": "gateway.feature",
        "ignore": "gateway.feature",
        "park": "gateway.feature",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


__all__ = [
    "Block",
    "Director",
    "Feature",
    "Gateway",
    "Guard",
    "IsGarbageStateFilter",
    "Orchestrator",
    "TimerFired",
    "View",
    "ViewSender",
    "apply",
    "dead_letter",
    "ignore",
    "park",
]
