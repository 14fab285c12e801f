"""States whose messages must go when the state is left."""

from collections.abc import Iterable
from typing import TypeAlias

from aiogram.fsm.state import State, StatesGroup

Registrable: TypeAlias = str | State | type[StatesGroup] | Iterable["Registrable"]


class GarbageStateRegistry:
    """The garbage states of one gateway."""

    def __init__(self, *states: Registrable) -> None:
        self._states: set[str] = set()
        self.register(*states)

    def register(self, *states: Registrable) -> None:
        """
        Add states: a state or its name, a group with all groups nested in it, or any iterable of these.

        Raises:
            TypeError: something that is none of these.
        """
        for item in states:
            self._states.update(_names(item))

    def is_garbage(self, state: str | None) -> bool:
        """Tell whether messages of *state* go when it is left."""
        return state in self._states

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
