"""What a handler changes and shows; the same in a chat handler, in an external event, and from outside."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from aiogram import Bot
from aiogram.fsm.context import FSMContext
from aiogram.types import InlineKeyboardMarkup, Message

from gateway.errors import RedirectLoop, UnknownScene
from gateway.history import SceneHistory
from gateway.orchestrator import Guard, Orchestrator
from gateway.views import Block, View
from state import values
from state.conversation import Conversation
from state.expectations import Expectation
from state.outbox import Effect, EffectKind
from state.screen import place_of
from state.timers import Timer
from state.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from gateway.feature import Feature

#: The member of an envelope's ``meta`` that names the scene to go to.
NEXT_SCENE = "__next_scene__"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


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

    #: Redirects in a row; more of them chase each other.
    MAX_REDIRECTS = 5

    def __init__(
        self,
        state: FSMContext,
        unit: UnitOfWork,
        features: Mapping[str, "Feature"],
        *,
        bot: Bot | None = None,
        guards: Sequence[Guard] = (),
        thread_id: int | None = None,
        now_ms: Callable[[], int] = _now_ms,
    ) -> None:
        self.state = state
        self.bot = bot
        """The conversation's bot, for calls that are made at once."""
        self.thread_id = thread_id if thread_id is not None else unit.conversation.thread_id
        """The topic that this event came from, and where its views go."""
        self.garbage = MessageGarbage(unit)
        self.history = SceneHistory(unit)
        self.alert: str | None = None
        self._unit = unit
        self._features = features
        self._guards = guards
        self._now_ms = now_ms
        self._depth = 0

    @property
    def conversation(self) -> Conversation:
        """The conversation that this event belongs to."""
        return self._unit.conversation

    @property
    def business_connection_id(self) -> str | None:
        """The business that the bot serves here."""
        return self._unit.conversation.business_connection_id

    async def set_scene(self, feature: str, payload: Any = None) -> View | None:
        """
        Enter the scene of *feature* and return its view; return it from the handler to show it.

        The state becomes the scene's only if it was entered without an error: whatever a failed entry has
        staged is undone. None: a guard refused, and everything is as it was.

        Raises:
            UnknownScene: no feature of that name has a scene.
            RedirectLoop: scenes have sent the user on more than `MAX_REDIRECTS` times in a row.
            PayloadNotKept: *payload* has no JSON form, and the scene is one to come back to.
        """
        registered, scene = self._find(feature)
        verdict = await self._verdict(registered, scene, payload)
        return await self._enter(registered.name, scene, payload) if verdict is True else verdict

    async def back(self) -> View | None:
        """
        Enter the scene before the present one, with the payload it had then, and return its view.

        None: there is none, or a guard refused; then everything is as it was.
        """
        visit = self.history.previous()
        if visit is None:
            return None
        registered, scene = self._find(visit.feature)
        verdict = await self._verdict(registered, scene, visit.payload)
        if verdict is not True:
            return verdict
        with self._unit.savepoint():
            self.history.leave()
            return await self._enter(registered.name, scene, visit.payload)

    def _find(self, feature: str) -> tuple["Feature", Orchestrator]:
        registered = self._features.get(feature)
        if registered is None or registered.scene is None:
            raise UnknownScene(feature, sorted(name for name, other in self._features.items() if other.scene))
        return registered, registered.scene

    async def _verdict(
        self, registered: "Feature", scene: Orchestrator, payload: Any
    ) -> Literal[True] | View | None:
        """Ask the gateway's guards, the feature's and the scene's own, in this order."""
        for guard in (*self._guards, *registered.guards, *scene.guards):
            verdict = await guard.check_access(self, scene, payload)
            if isinstance(verdict, View):
                return verdict
            if not verdict:
                return None
        return True

    async def _enter(self, feature: str, scene: Orchestrator, payload: Any) -> View | None:
        if self._depth > self.MAX_REDIRECTS:
            raise RedirectLoop(feature)
        alert = self.alert
        self._depth += 1
        try:
            with self._unit.savepoint():
                if scene.in_history:
                    self.history.enter(feature, payload)
                else:
                    self.history.pass_through()
                if scene.expected_state is not None:
                    await self.state.set_state(scene.expected_state)
                entered = await scene.handle_entry(self, payload)
                view: View | None = entered if isinstance(entered, View) else await self.resolve(entered)
                return view
        except BaseException:
            self.alert = alert
            raise
        finally:
            self._depth -= 1

    async def resolve(self, data: Any) -> Any:
        """
        Follow ``{"meta": {"__next_scene__": ...}, "payload": ...}``; anything else is returned as it is.

        Raises:
            RedirectLoop: scenes have sent the user on more than `MAX_REDIRECTS` times in a row.
        """
        if not isinstance(data, Mapping):
            return data
        meta = data.get("meta")
        target = meta.get(NEXT_SCENE) if isinstance(meta, Mapping) else None
        if target is None:
            return data.get("payload", data)
        return await self.set_scene(str(target), data.get("payload", data))

    def show(self, view: View) -> None:
        """Bring the screen to *view*. A newer view of a block replaces an older one that has not gone out."""
        if view.alert is not None:
            self.alert = view.alert
        for effect in view.effects(self.thread_id):
            self._unit.add_effect(effect)

    def notice(self, text: str | Block, keyboard: InlineKeyboardMarkup | None = None) -> None:
        """Send a message beside the screen; in a garbage state it is deleted when that state is left."""
        block = text if isinstance(text, Block) else Block(text, keyboard)
        payload = block.payload()
        if self.thread_id is not None:
            payload["thread_id"] = self.thread_id
        self._unit.add_effect(Effect(EffectKind.NOTICE, payload))

    def after(
        self,
        event_type: str,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        name: str | None = None,
        data: Mapping[str, Any] | None = None,
        cancel_on_leave: bool = False,
    ) -> None:
        """
        Have this conversation receive an event of *event_type* later, as ``on(event_type)`` takes it.

        It replaces the timer of the same *name*, which is the event's type unless given. *data* comes with
        the event, as JSON. With *cancel_on_leave* it is cancelled when the state is left that this event ends
        in.

        Raises:
            ValueError: no time at all.
            TypeError: *data* has no JSON form.
        """
        delay = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if delay <= timedelta(0):
            raise ValueError('after how long? For example after("payment.expired", minutes=15)')
        due_at_ms = self._now_ms() + int(delay.total_seconds() * 1000)
        values.dump(dict(data or {}))
        self._unit.set_timer(
            Timer(name or event_type, event_type, due_at_ms, dict(data or {}), cancel_on_leave)
        )

    def cancel(self, name: str) -> None:
        """Cancel the timer of that name. If it has fired and its event was not handled yet, it never is."""
        self._unit.cancel_timer(name)

    def refund_stars(self, charge_id: str, *, user_id: int | None = None) -> None:
        """
        Give the Stars of a payment back, once this event is committed, and until Telegram has done it.

        *charge_id* is the `object_id` of its ``payment.succeeded``; *user_id* who paid, if not this user.
        """
        arguments = {
            "user_id": user_id if user_id is not None else self.conversation.user_id,
            "telegram_payment_charge_id": charge_id,
        }
        self._unit.add_effect(
            Effect(EffectKind.CALL, {"method": "RefundStarPayment", "arguments": arguments})
        )

    def expect(
        self,
        *,
        payment: str | None = None,
        booking: str | None = None,
        amount_minor: int | None = None,
        currency: str | None = None,
        feature: str = "",
        expires: timedelta = timedelta(days=30),
        source: str = "",
        ends_within: timedelta = timedelta(minutes=15),
    ) -> str:
        """
        Wait for a payment or a booking, and return the token that must travel through the provider.

        *payment* or *booking* is the feature's own name for it. A payment of another amount (in minor units)
        or currency than the expected one becomes ``payment.mismatched``. *feature* names the one whose
        handlers are to see what comes; otherwise every feature's may. *expires* is how long the token is
        known.

        *source* is the configured one at which it is paid: if the payment has not ended within *ends_within*,
        its provider is asked (T-Bank, CloudPayments), and again, ever more seldom, until it has or the token
        expires.

        Raises:
            ValueError: neither or both of *payment* and *booking*; an amount without a currency; a source
                without a payment.
        """
        if (payment is None) == (booking is None):
            raise ValueError("expect either a payment or a booking, by the name that the feature gives it")
        if (amount_minor is None) != (currency is None):
            raise ValueError("an expected payment has both amount_minor and currency, or neither")
        if source and payment is None:
            raise ValueError("only payments are asked about: leave source out for a booking")
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
                source,
                lives_for=expires,
                ends_within=ends_within,
            )
        )
        return token
