"""What an event means to the bot: which handler runs, and what it leaves in the unit of work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from aiogram import Bot
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.fsm.context import FSMContext
from aiogram.methods import TelegramMethod
from aiogram.types import CallbackQuery, Message, Update

from gateway.chat_member import note_chat, shows_the_user, tells_of_its_chat
from gateway.direct_calls import AWAIT_ANSWERS, AWAIT_ANSWERS_BRIEFLY, DirectCalls
from gateway.director import Director
from gateway.errors import UnknownScene
from gateway.feature import Otherwise, Park, choose
from gateway.gateway import Gateway
from gateway.paced_calls import somebody_is_there
from gateway.queries import DeadlineQuery, Queries, check_of, consent, query_of
from gateway.timer_event import TimerFired
from gateway.views import View
from routers.decision import Decider, Decision
from routers.event import Event
from routers.events.event import ServiceEvent
from routers.payments.events import PaymentPartiallyRefunded, PaymentPromised
from routers.vocabulary import parse_event
from state.chats import Chats
from state.expectations import Expectation
from state.inbox_entry import InboxEntry
from state.journal import Journal
from state.outbox import Effect, EffectKind
from state.screen import place_of
from state.timers import SOURCE as TIMER
from state.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from gateway.container import Container


@dataclass(frozen=True, slots=True)
class Handled:
    """A handler ran, or there is something to commit."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """The event ends, ignored for *reason*."""

    reason: str


@dataclass(frozen=True, slots=True)
class Parked:
    """The event came too early; it is kept for *lasts*."""

    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Rejected:
    """The event ends as a dead letter, for *reason*."""

    reason: str


Verdict: TypeAlias = Handled | Skipped | Parked | Rejected


class Subject(NamedTuple):
    """What an inbox entry is about: an update of the chat, or an event of a third party."""

    update: Update | None = None
    event: Event | None = None
    expectation: Expectation | None = None

    @property
    def query(self) -> DeadlineQuery | None:
        """The query with a deadline that this is."""
        return query_of(self.update)

    @property
    def object_key(self) -> str | None:
        """The provider's object, whose status only moves forward."""
        return f"{self.event.provider}:{self.event.object_id}" if self.event is not None else None

    @property
    def rank(self) -> int | None:
        """How far the object has come with this event."""
        return self.event.rank if self.event is not None else None

    @property
    def repeats(self) -> bool:
        """Another event of the same rank may be another fact."""
        return self.event is not None and self.event.repeats

    def is_behind(self, reached: int | None) -> bool:
        """Tell whether the object has come further than this, or so far already."""
        if self.rank is None or reached is None:
            return False
        return self.rank < reached or (self.rank == reached and not self.repeats)


class Handling:
    """Runs aiogram's dispatcher or a feature's handler inside a unit of work."""

    def __init__(self, gateway: Gateway, container: "Container", chats: Chats, decider: Decider) -> None:
        self._gateway = gateway
        self._chats = chats
        self._decider = decider
        self._container = container
        self._dispatcher = gateway.dispatcher(container.storage)
        self._bots: Mapping[int, Bot] = container.bots
        self.queries = Queries(gateway.declined_text)

    def subject_of(self, entry: InboxEntry) -> Subject:
        """
        Return what *entry* is about.

        Raises:
            ValueError: its body or its event cannot be read.
        """
        if entry.envelope.source.startswith("telegram:"):
            bot = self._bots.get(entry.conversation.bot_id)
            if bot is None:
                raise ValueError(f"no bot {entry.conversation.bot_id} is configured")
            return Subject(update=Update.model_validate_json(entry.envelope.body, context={"bot": bot}))
        if entry.envelope.source == TIMER:
            return Subject(event=TimerFired.of(entry.envelope))
        event = parse_event(entry.envelope.event).with_body(entry.envelope.body)
        return Subject(event=_checked(event, entry.expectation), expectation=entry.expectation)

    async def handle(self, unit: UnitOfWork, subject: Subject, journal: Journal) -> Verdict:
        """Run the handler of *subject*, staging in *unit*; calls that *journal* knows are not made again."""
        state = FSMContext(storage=self._container.storage, key=unit.key)
        director = Director(
            state,
            unit,
            self._gateway.features_of(unit.conversation.bot_id),
            bot=self._bots.get(unit.conversation.bot_id),
            guards=self._gateway.guards,
            thread_id=topic_of(subject.update) if subject.update is not None else None,
        )
        calls = DirectCalls(journal)
        try:
            with unit.current(), calls.watch():
                if subject.update is not None:
                    verdict = await self._feed(unit, director, subject.update, calls)
                else:
                    verdict = await self._tell(unit, director, subject)
        finally:
            if calls.under_way:
                await calls.answers(AWAIT_ANSWERS_BRIEFLY if subject.query is not None else AWAIT_ANSWERS)
        if calls.sent and self._gateway.is_garbage(unit.final_state):
            for message in calls.sent:
                # What the handler told somebody else, an administrator say, is not of this conversation.
                if message.chat.id != unit.conversation.chat_id:
                    continue
                place = place_of(message.chat.id, message.message_id)
                unit.track(place, int(message.date.timestamp() * 1000))
        return verdict

    async def _feed(
        self, unit: UnitOfWork, director: Director, update: Update, calls: DirectCalls
    ) -> Verdict:
        """Give *update* to aiogram's dispatcher."""
        if tells_of_its_chat(update):
            await note_chat(update, unit.conversation, self._chats, self._container.storage.migrations)
        unit.user_is_there = shows_the_user(update)
        before = unit.final_state
        bot = self._bots[unit.conversation.bot_id]
        asked = query_of(update)
        decision = await self._decide(asked) if asked is not None else None
        if asked is not None and decision not in (None, Decision.ACCEPTED):
            await self.queries.settle(bot, asked, self.queries.refused(asked), calls)
            return Handled()
        with somebody_is_there(unit.conversation.chat_id if unit.user_is_there else None):
            result = await self._dispatcher.feed_update(
                bot, update, director=director, container=self._container, garbage=self._gateway.garbage
            )
        query, message = update.callback_query, update.message or update.business_message
        if message is not None and message.text and self._gateway.is_garbage(before):
            # The user's own text, whether it was of use or not: the chat stays clean.
            place = place_of(message.chat.id, message.message_id)
            unit.add_effect(Effect(EffectKind.DELETE, {"places": [place]}))
        if asked is not None:
            if decision is Decision.ACCEPTED and result is UNHANDLED:
                result = consent(asked)
            result = await self.queries.settle(bot, asked, result, calls)
        if result is UNHANDLED and query is None and unit.untouched:
            return Skipped("no handler takes it")
        if result is not None:
            await _stage(unit, director, result)
        if query is not None and not calls.answered_callback:
            gone = result is UNHANDLED and director.alert is None
            unit.add_effect(_answer(query, self._gateway.expired_text(query) if gone else director.alert))
        return Handled()

    async def _decide(self, asked: DeadlineQuery) -> Decision | None:
        """Decide about a checkout that carries a token, as about any provider's; None: it carries none."""
        found = check_of(asked)
        return None if found is None else await self._decider.decide(*found)

    async def _tell(self, unit: UnitOfWork, director: Director, subject: Subject) -> Verdict:
        """Give an external event to the feature that wants it."""
        event, expectation = subject.event, subject.expectation
        if event is None:
            raise TypeError("a subject is an update or an event")
        handlers = list(
            self._gateway.handlers_of(
                event.type, expectation.feature if expectation else None, unit.conversation.bot_id
            )
        )
        if not handlers:
            unwanted = Skipped(f"no handler of {event.type}")
            return unwanted if event.next_scene is None else await _follow(director, event)
        match choose(handlers, unit.state):
            case Otherwise.DEAD_LETTER:
                return Rejected(f"not expected in state {unit.state}")
            case Otherwise():
                return Skipped(f"not expected in state {unit.state}")
            case Park(lasts):
                return Parked(lasts)
            case handler:
                result = await handler.callback.call(
                    event,
                    director=director,
                    state=director.state,
                    expectation=expectation,
                    bot=self._bots.get(unit.conversation.bot_id),
                    container=self._container,
                )
        if event.next_scene is not None and result is None:
            return await _follow(director, event)
        await _stage(unit, director, result)
        return Handled()


async def _follow(director: Director, event: Event) -> Verdict:
    """Enter the scene that a service's event names. A wrong name stays wrong, so it is not tried again."""
    payload = event.payload if isinstance(event, ServiceEvent) else event.raw.get("payload", {})
    try:
        view = await director.set_scene(str(event.next_scene), payload)
    except UnknownScene as error:
        return Rejected(str(error))
    if view is not None:
        director.show(view)
    return Handled()


def topic_of(update: Update) -> int | None:
    """Return the topic of a forum, or of a private chat, that *update* came from."""
    query = update.callback_query
    message = query.message if query is not None else update.message or update.business_message
    return message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None


def _checked(event: Event, expectation: Expectation | None) -> Event:
    """Return *event* in the light of what was expected: another sum mismatches, all of it back refunds."""
    if expectation is None or expectation.amount_minor is None or expectation.currency is None:
        return event
    if isinstance(event, PaymentPromised | PaymentPartiallyRefunded):
        return event.checked(expectation.amount_minor, expectation.currency)
    return event


async def _stage(unit: UnitOfWork, director: Director, result: Any) -> None:
    """Stage what a handler returned: a view to show, the scene to go on to, or a call of the Bot API."""
    if isinstance(result, Mapping):
        result = await director.resolve(result)
    if isinstance(result, View):
        director.show(result)
    elif isinstance(result, TelegramMethod):
        arguments = result.model_dump(mode="json", exclude_none=True, exclude_defaults=True, warnings=False)
        unit.add_effect(Effect(EffectKind.CALL, {"method": type(result).__name__, "arguments": arguments}))


def _answer(query: CallbackQuery, alert: str | None) -> Effect:
    """Return the answer that ends the button's spinner."""
    arguments: dict[str, Any] = {"callback_query_id": query.id}
    if alert:
        arguments |= {"text": alert, "show_alert": True}
    return Effect(EffectKind.CALL, {"method": "AnswerCallbackQuery", "arguments": arguments})
