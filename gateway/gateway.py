"""A bot, as its author describes it: features, and how updates find their conversation."""

from collections import Counter
from collections.abc import Iterable, Iterator

from aiogram import Dispatcher
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage
from aiogram.fsm.storage.memory import DisabledEventIsolation
from aiogram.fsm.strategy import FSMStrategy

from gateway.errors import FeaturesClash
from gateway.feature import EventHandler, Feature
from state import GarbageStateRegistry


class Gateway:
    """
    What ``gateway serve mybot:gateway`` runs.

    Raises:
        FeaturesClash: two features have one name, or two managers one draft.
    """

    def __init__(self, *features: Feature, strategy: FSMStrategy = FSMStrategy.USER_IN_CHAT) -> None:
        _refuse_clash("name", (feature.name for feature in features))
        _refuse_clash("draft", (key for feature in features for key in feature.draft_keys))
        self.features = {feature.name: feature for feature in features}
        self.strategy = strategy
        self.garbage = GarbageStateRegistry(*(feature.garbage for feature in features))
        self._dispatcher: Dispatcher | None = None

    def dispatcher(self, storage: BaseStorage) -> Dispatcher:
        """
        Return aiogram's dispatcher over the features' chat handlers, keeping state in *storage*.

        One dispatcher is made and kept, since an aiogram router has one parent for life.
        """
        if self._dispatcher is None:
            # The gateway runs one event of a conversation at a time, so aiogram's own lock has nothing to do.
            self._dispatcher = Dispatcher(
                storage=storage, fsm_strategy=self.strategy, events_isolation=DisabledEventIsolation()
            )
            self._dispatcher.include_routers(*(feature.chat for feature in self.features.values()))
        self._dispatcher.fsm.storage = storage
        return self._dispatcher

    def handlers_of(self, event_type: str, feature: str | None) -> Iterator[EventHandler]:
        """Yield the handlers of *event_type*: those of *feature* if it has any, otherwise everybody's."""
        owner = self.features.get(feature or "")
        if owner is not None and event_type in owner.handlers:
            yield from owner.handlers[event_type]
            return
        for other in self.features.values():
            yield from other.handlers.get(event_type, ())

    def is_garbage(self, state: str | State | None) -> bool:
        """Tell whether messages of *state* go when it is left."""
        return self.garbage.is_garbage(state.state if isinstance(state, State) else state)


def _refuse_clash(what: str, names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise FeaturesClash(what, name)
