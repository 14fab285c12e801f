"""One feature of a bot: its chat handlers, its handlers of external events, its scene, its states."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from aiogram import Router
from aiogram.dispatcher.event.handler import CallableObject
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import StorageKey
from aiogram.fsm.storage.memory import MemoryStorage

from gateway.orchestrator import Guard, Orchestrator
from state import BaseStateManager
from state.fields import DRAFT
from state.garbage import GarbageStateRegistry, Registrable

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])
States: TypeAlias = State | type[StatesGroup] | Iterable[State | type[StatesGroup]] | None


class Otherwise(Enum):
    """What becomes of an event whose conversation is not in the state that the handler asks for."""

    IGNORE = "ignore"
    """It ends, ignored by name."""
    APPLY = "apply"
    """The handler runs all the same."""
    DEAD_LETTER = "dead_letter"
    """It ends as a dead letter, for a person to look at."""


@dataclass(frozen=True, slots=True)
class Park:
    """Keep the event, and look at it again on every change of the conversation's state."""

    lasts: timedelta


ignore, apply, dead_letter = Otherwise.IGNORE, Otherwise.APPLY, Otherwise.DEAD_LETTER


def park(*, hours: float = 0, minutes: float = 0, days: float = 0) -> Park:
    """
    Keep an event that came too early for so long; then it is a dead letter.

    Raises:
        ValueError: no time at all.
    """
    lasts = timedelta(days=days, hours=hours, minutes=minutes)
    if lasts <= timedelta(0):
        raise ValueError("park for how long? For example park(hours=1)")
    return Park(lasts)


@dataclass(frozen=True, slots=True)
class EventHandler:
    """A handler of one type of event, and the states in which it may run."""

    feature: str
    callback: CallableObject
    states: frozenset[str] | None
    """None: any state, and none at all."""
    otherwise: Otherwise | Park

    def welcomes(self, state: str | None) -> bool:
        """Tell whether the handler runs in *state*."""
        return self.states is None or state in self.states


def choose(handlers: Sequence[EventHandler], state: str | None) -> EventHandler | Otherwise | Park:
    """The first handler that welcomes *state*; if none does, what the first one wants otherwise."""
    for handler in handlers:
        if handler.welcomes(state):
            return handler
    first = handlers[0]
    return first if first.otherwise is Otherwise.APPLY else first.otherwise


class Feature:
    """
    What belongs together in a bot::

        booking = Feature("booking", states=Booking, garbage=[Booking.awaiting_payment], scene=BookingScene())

        @booking.chat.message(Booking.choosing_room)
        async def chosen(message: Message, director: Director) -> View: ...

        @booking.on("payment.succeeded", state=Booking.awaiting_payment, otherwise=park(hours=1))
        async def paid(event: PaymentSucceeded, director: Director) -> View: ...

    A handler names the arguments that it wants: the event, `director`, `state`, `bot`, `container`. It
    returns the view to show, or nothing. *bots* are the names, in the settings, of the bots that have the
    feature; without them every bot has it.
    """

    def __init__(
        self,
        name: str,
        *,
        states: type[StatesGroup] | Iterable[type[StatesGroup]] = (),
        garbage: Registrable = (),
        scene: Orchestrator | None = None,
        managers: "Iterable[type[BaseStateManager[Any]]]" = (),
        guards: Sequence[Guard] = (),
        bots: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.bots = frozenset(bots)
        self.chat = Router(name=name)
        self.scene = scene
        self.guards = tuple(guards)
        self.states = GarbageStateRegistry(states).registered_states()
        self.garbage = GarbageStateRegistry(garbage).registered_states()
        self.managers = tuple(managers)
        self.draft_keys = tuple(map(_draft_key, self.managers))
        self.handlers: dict[str, list[EventHandler]] = {}
        self.decider: CallableObject | None = None

    def on(
        self, event_type: str, *, state: States = None, otherwise: Otherwise | Park = ignore
    ) -> Callable[[Handler], Handler]:
        """
        Register a handler of events of *event_type*, whichever source they come from.

        It runs if the conversation is in *state* (a state, a group, or several; None: always). *otherwise*
        says what becomes of an event that comes too early or too late.
        """

        def register(handler: Handler) -> Handler:
            states = None if state is None else GarbageStateRegistry(state).registered_states()
            self.handlers.setdefault(event_type, []).append(
                EventHandler(self.name, CallableObject(handler), states, otherwise)
            )
            return handler

        return register

    def decide(self, handler: Handler) -> Handler:
        """
        Register who is asked before a provider takes the money for one of this feature's expectations.

        Amount and currency have been compared by then. The handler takes a `PaymentCheck` and what other
        handlers take, and returns False to decline. It has a few seconds, and what it changes is dropped.
        """
        self.decider = CallableObject(handler)
        return handler


def _draft_key(manager: type[BaseStateManager]) -> str:
    # codex-bot's managers name their feature in __init__ only, so one is made to ask.
    return manager(FSMContext(MemoryStorage(), StorageKey(0, 0, 0))).storage_key.removeprefix(DRAFT)
