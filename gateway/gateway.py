"""A bot, as its author describes it: features, and how updates find their conversation."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from aiogram import Bot, Dispatcher
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage
from aiogram.fsm.storage.memory import DisabledEventIsolation
from aiogram.fsm.strategy import FSMStrategy
from aiogram.types import CallbackQuery, TelegramObject

from gateway.dispatch.dispatcher import PlannedDispatcher
from gateway.errors import FeaturesClash, UnknownBot
from gateway.feature import EventHandler, Feature
from gateway.orchestrator import Guard
from gateway.queries import DeadlineQuery
from state import GarbageStateRegistry

_ALWAYS_NEEDED = frozenset({"message", "callback_query", "my_chat_member"})


class Gateway:
    """
    What ``gateway serve mybot:gateway`` runs.

    *guards* are asked before any scene is entered. *expired* is the answer to a press on a button that no
    handler takes in the present state, or what returns it for the user's language; "" ends the button's
    spinner and says nothing. *declined* is what a user is told whose payment or shipping address no handler
    has answered in time.

    Raises:
        FeaturesClash: two features have one name, or two managers one draft.
    """

    def __init__(
        self,
        *features: Feature,
        strategy: FSMStrategy = FSMStrategy.USER_IN_CHAT,
        guards: Sequence[Guard] = (),
        expired: str | Callable[[CallbackQuery], str] = "This has expired.",
        declined: str | Callable[[DeadlineQuery], str] = "The payment cannot be made now. Please try again.",
    ) -> None:
        _refuse_clash("name", (feature.name for feature in features))
        _refuse_clash("draft", (key for feature in features for key in feature.draft_keys))
        self.features = {feature.name: feature for feature in features}
        self.strategy = strategy
        self.guards = tuple(guards)
        self._expired = expired
        self._declined = declined
        self.garbage = GarbageStateRegistry(*(feature.garbage for feature in features))
        self._garbage_of_all = GarbageStateRegistry.shared()
        self._dispatcher: Dispatcher | None = None
        self._of_bots: Mapping[int, Mapping[str, Feature]] = {}

    def bind(self, bots: Mapping[str, int]) -> None:
        """
        Learn which bots there are, by name: a feature may be for some of them only.

        Raises:
            UnknownBot: a feature is for a bot that is not among them.
        """
        for feature in self.features.values():
            for name in sorted(feature.bots - bots.keys()):
                raise UnknownBot(feature.name, name, sorted(bots))
        self._of_bots = {
            bot_id: {
                feature.name: feature
                for feature in self.features.values()
                if not feature.bots or name in feature.bots
            }
            for name, bot_id in bots.items()
        }

    def features_of(self, bot_id: int) -> Mapping[str, Feature]:
        """Return the features that this bot has; all, for one that `bind` was not told of."""
        return self._of_bots.get(bot_id, self.features)

    def dispatcher(self, storage: BaseStorage) -> Dispatcher:
        """
        Return aiogram's dispatcher over the features' chat handlers, keeping state in *storage*.

        One dispatcher is made and kept, since an aiogram router has one parent for life.
        """
        if self._dispatcher is None:
            # The gateway runs one event of a conversation at a time, so aiogram's own lock has nothing to do.
            self._dispatcher = PlannedDispatcher(
                storage=storage, fsm_strategy=self.strategy, events_isolation=DisabledEventIsolation()
            )
            for feature in self.features.values():
                self._dispatcher.include_router(feature.chat)
                if feature.bots:
                    self._keep_to_its_bots(feature)
        self._dispatcher.fsm.storage = storage
        return self._dispatcher

    def _keep_to_its_bots(self, feature: Feature) -> None:
        async def is_of_this_bot(_: TelegramObject, bot: Bot) -> bool:
            return feature.name in self.features_of(bot.id)

        for observer in feature.chat.observers.values():
            observer.filter(is_of_this_bot)

    def allowed_updates(self, bot_id: int) -> Sequence[str]:
        """
        Return the kinds of updates that Telegram has to send to this bot: those with handlers, and those
        that the gateway itself needs (text in garbage states, presses on expired buttons, who has blocked
        the bot).
        """
        handled: set[str] = set()
        for feature in self.features_of(bot_id).values():
            for router in feature.chat.chain_tail:
                handled |= {kind for kind, observer in router.observers.items() if observer.handlers}
        return sorted((handled - {"update", "error"}) | _ALWAYS_NEEDED)

    def expired_text(self, query: CallbackQuery) -> str:
        """Return what a press is answered that no handler takes: its screen is gone."""
        return self._expired(query) if callable(self._expired) else self._expired

    def declined_text(self, query: DeadlineQuery) -> str:
        """Return what a user is told whose query no handler has answered in time."""
        return self._declined(query) if callable(self._declined) else self._declined

    def handlers_of(self, event_type: str, feature: str | None, bot_id: int) -> Iterator[EventHandler]:
        """Yield this bot's handlers of *event_type*: those of *feature* if it has any, otherwise all."""
        features = self.features_of(bot_id)
        owner = features.get(feature or "")
        if owner is not None and event_type in owner.handlers:
            yield from owner.handlers[event_type]
            return
        for other in features.values():
            yield from other.handlers.get(event_type, ())

    @property
    def states(self) -> frozenset[str]:
        """All states that a feature names: its own, its scene's, and those that its handlers ask for."""
        known: set[str] = set()
        for feature in self.features.values():
            known |= feature.states | feature.garbage
            if feature.scene is not None and feature.scene.expected_state is not None:
                expected = feature.scene.expected_state
                known.add(str(expected.state if isinstance(expected, State) else expected))
            for handlers in feature.handlers.values():
                known.update(*(handler.states or () for handler in handlers))
        return frozenset(known)

    def is_garbage(self, state: str | State | None) -> bool:
        """Tell whether messages of *state* go when it is left."""
        name = state.state if isinstance(state, State) else state
        return self.garbage.is_garbage(name) or self._garbage_of_all.is_garbage(name)


def _refuse_clash(what: str, names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise FeaturesClash(what, name)
