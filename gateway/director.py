"""What a handler changes and shows; the same in a chat handler, in an external event, and from outside."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiogram.fsm.context import FSMContext
from aiogram.types import InlineKeyboardMarkup, Message

from gateway.errors import RedirectLoop, UnknownScene
from gateway.views import Block, View
from state.conversation import Conversation
from state.expectations import Expectation
from state.outbox import Effect, EffectKind
from state.screen import place_of
from state.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from gateway.feature import Feature

#: The member of an envelope's ``meta`` that names the scene to go to.
NEXT_SCENE = "__next_scene__"


class MessageGarbage:
    """Messages that go when the conversation leaves its present state."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit

    def track(self, message: Message) -> None:
        """Delete *message* when the state is left, by whichever cause."""
        self._unit.track(place_of(message.chat.id, message.message_id), int(message.date.timestamp() * 1000))


class Director:
    """
    One event's hand on one conversation.

    Everything that is done through it is staged, and committed together with the event, or not at all.
    """

    #: Redirects that one event may cause; more of them chase each other.
    MAX_REDIRECTS = 5

    def __init__(self, state: FSMContext, unit: UnitOfWork, features: Mapping[str, "Feature"]) -> None:
        self.state = state
        self.garbage = MessageGarbage(unit)
        self.alert: str | None = None
        self._unit = unit
        self._features = features
        self._redirects = 0

    @property
    def conversation(self) -> Conversation:
        """The conversation that this event belongs to."""
        return self._unit.conversation

    async def set_scene(self, feature: str, payload: Any = None) -> View | None:
        """
        Enter the scene of *feature* and return its view; return it from the handler to show it.

        The state becomes the scene's only if it was entered without an error. None: a guard refused.

        Raises:
            UnknownScene: no feature of that name has a scene.
        """
        registered = self._features.get(feature)
        if registered is None or registered.scene is None:
            raise UnknownScene(feature, sorted(name for name, other in self._features.items() if other.scene))
        scene = registered.scene
        for guard in scene.guards:
            verdict = await guard.check_access(self, scene, payload)
            if isinstance(verdict, View):
                return verdict
            if not verdict:
                return None
        view = await scene.handle_entry(self, payload)
        if scene.expected_state is not None:
            await self.state.set_state(scene.expected_state)
        return view

    async def resolve(self, data: Any) -> Any:
        """
        Follow ``{"meta": {"__next_scene__": ...}, "payload": ...}``; anything else is returned as it is.

        Raises:
            RedirectLoop: one event has caused more than `MAX_REDIRECTS` redirects.
        """
        if not isinstance(data, Mapping):
            return data
        meta = data.get("meta")
        target = meta.get(NEXT_SCENE) if isinstance(meta, Mapping) else None
        if target is None:
            return data.get("payload", data)
        self._redirects += 1
        if self._redirects > self.MAX_REDIRECTS:
            raise RedirectLoop(str(target))
        return await self.set_scene(str(target), data.get("payload", data))

    def show(self, view: View) -> None:
        """Bring the screen to *view*. A newer view of a block replaces an older one that has not gone out."""
        if view.alert is not None:
            self.alert = view.alert
        for effect in view.effects():
            self._unit.add_effect(effect)

    def notice(self, text: str, keyboard: InlineKeyboardMarkup | None = None) -> None:
        """Send a message beside the screen; in a garbage state it is deleted when that state is left."""
        self._unit.add_effect(Effect(EffectKind.NOTICE, Block(text, keyboard).payload()))

    def expect(
        self,
        *,
        payment: str | None = None,
        booking: str | None = None,
        amount_minor: int | None = None,
        currency: str | None = None,
        feature: str = "",
        expires: timedelta = timedelta(days=30),
    ) -> str:
        """
        Wait for a payment or a booking, and return the token that must travel through the provider.

        *payment* or *booking* is the feature's own name for it. A payment of another amount (in minor units)
        or currency than the expected one becomes ``payment.mismatched``. *feature* names the one whose
        handlers are to see what comes; otherwise every feature's may. *expires* is how long the token is
        known.

        Raises:
            ValueError: neither or both of *payment* and *booking*; an amount without a currency.
        """
        if (payment is None) == (booking is None):
            raise ValueError("expect either a payment or a booking, by the name that the feature gives it")
        if (amount_minor is None) != (currency is None):
            raise ValueError("an expected payment has both amount_minor and currency, or neither")
        kind, name = ("payment", payment) if payment is not None else ("booking", booking)
        token = self._unit.new_token()
        self._unit.expect(
            Expectation(
                token,
                feature,
                kind,
                str(name),
                amount_minor,
                currency.upper() if currency else None,
                expires,
            )
        )
        return token
