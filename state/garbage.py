"""States whose messages must go when the state is left."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Concatenate, Generic, ParamSpec, TypeAlias, TypeVar

from aiogram.fsm.state import State, StatesGroup

Registrable: TypeAlias = str | State | type[StatesGroup] | Iterable["Registrable"]


Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class _OnClassToo(Generic[Parameters, Result]):
    """A method that, called on the class, is about the registry that the whole process shares."""

    def __init__(self, method: "Callable[Concatenate[GarbageStateRegistry, Parameters], Result]") -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(
        self, registry: "GarbageStateRegistry | None", owner: "type[GarbageStateRegistry]"
    ) -> Callable[Parameters, Result]:
        return partial(self._method, registry if registry is not None else owner.shared())


class GarbageStateRegistry:
    """
    The garbage states of one gateway.

    Called on the class itself, as in codex-bot, the methods are about one registry that all gateways of the
    process share; a gateway looks there too.
    """

    _shared: "GarbageStateRegistry | None" = None

    def __init__(self, *states: Registrable) -> None:
        self._states: set[str] = set()
        self._states.update(_names(states))

    @classmethod
    def shared(cls) -> "GarbageStateRegistry":
        """Return the registry of the whole process."""
        if GarbageStateRegistry._shared is None:
            GarbageStateRegistry._shared = GarbageStateRegistry()
        return GarbageStateRegistry._shared

    @_OnClassToo
    def register(self, *states: Registrable) -> None:
        """
        Add states: a state or its name, a group with all groups nested in it, or any iterable of these.

        Raises:
            TypeError: something that is none of these.
        """
        self._states.update(_names(states))

    @_OnClassToo
    def is_garbage(self, state: str | None) -> bool:
        """Tell whether messages of *state* go when it is left."""
        return state in self._states

    @_OnClassToo
    def registered_states(self) -> frozenset[str]:
        """Return the names of all registered states."""
        return frozenset(self._states)


def _names(item: Registrable) -> Iterable[str]:
    if isinstance(item, str):
        return [item]
    if isinstance(item, State):
        return [item.state] if item.state is not None else []
    if isinstance(item, type) and issubclass(item, StatesGroup):
        return item.__all_states_names__
    if isinstance(item, Iterable):
        return [name for part in item for name in _names(part)]
    raise TypeError(f"not a state, a group of states or an iterable of these: {item!r}")
