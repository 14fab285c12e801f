"""A webhook gateway for Telegram bots: what bot authors use."""

from gateway.director import Director
from gateway.feature import Feature, apply, dead_letter, ignore, park
from gateway.garbage_filter import IsGarbageStateFilter
from gateway.gateway import Gateway
from gateway.orchestrator import Guard, Orchestrator
from gateway.timer_event import TimerFired
from gateway.view_sender import ViewSender
from gateway.views import Block, View

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
