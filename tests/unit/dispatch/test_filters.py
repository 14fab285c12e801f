"""Which filters are asked at once, and which in a thread, as aiogram asks them."""

import asyncio
import operator
import threading
from collections.abc import Callable
from typing import Any

import pytest
from aiogram import Dispatcher, F
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.dispatcher.event.handler import FilterObject
from aiogram.filters import StateFilter, and_f, invert_f, or_f
from aiogram.fsm.state import State, StatesGroup
from magic_filter import MagicFilter
from magic_filter.operations import BaseOperation

from gateway.dispatch.filter_checks import check_of, checks_of, passes
from gateway.dispatch.plain_magic import is_plain
from tests.unit.dispatch.traces import Trace, alike, message

CAME = message("tea").event


class Shop(StatesGroup):
    """Two states."""

    paying = State()
    paid = State()


class Choosy(State):
    """A state with a rule of its author's."""

    def __call__(self, event: Any, raw_state: str | None = None) -> bool:
        """Let all pass that are of the shop."""
        return (raw_state or "").startswith("Shop:")


class ChoosyGroup(StatesGroup):
    """The same for a group."""

    one = State()

    def __call__(self, event: Any, raw_state: str | None = None) -> bool:
        """Let all pass that are of the shop."""
        return (raw_state or "").startswith("Shop:")


class Starred(StatesGroup):
    """A group with a state whose name means any state, where it stands alone."""

    anything = State("*")


class Slow:
    """What its author wrote may take its time."""

    def __eq__(self, other: object) -> bool:
        """Ask the database."""
        return True

    def __hash__(self) -> int:
        """Return the same always."""
        return 1

    def __contains__(self, other: object) -> bool:
        """Ask the database."""
        return True


class Odd(BaseOperation):
    """An operation of another package's."""

    def resolve(self, value: Any, initial_value: Any) -> Any:
        """Return what there is."""
        return value


def slow(text: Any) -> bool:
    """Ask the database."""
    return bool(text)


PLAIN = [
    *(F, F.text, F.text == "tea", F.text != "tea", F.text > "t", ~F.text, F.text.len() > 2, F.text[0] == "t"),
    *(F.text.in_({"tea", "coffee"}), F.text.not_in(["milk"]), F.text.contains("e"), F.text.regexp(r"t(.)a")),
    *(
        F.text.startswith("t"),
        F.text.lower() == "tea",
        F.text.func(len) == 3,
        F.text.cast(str),
        F.text.as_("x"),
    ),
    *((F.text == "tea") & F.from_user, F.photo | F.text, F.from_user.id.is_(501), F.text == F.caption),
    *(
        F.photo[-1].file_id,
        F.entities[...].type == "bold",
        F.entities.extract(F.type == "bold"),
        F[F.text].text,
    ),
    *(F.text + "!" == "tea!", "t" + F.text == "ttea", MagicFilter().text),
]
NOT_PLAIN = [
    *(
        F.text.func(slow),
        F.text.func(lambda _: True),
        F.text.cast(slow),
        F.text == Slow(),
        F.text.in_(Slow()),
    ),
    *(
        F.text.in_([Slow()]),
        (F.text == "tea") & F.text.func(slow),
        F.photo | F.func(slow),
        F.extract(F.func(slow)),
    ),
    *(
        F[F.func(slow)],
        F.text == F.func(slow),
        F.text.startswith(Slow()),
        F.text.func(operator.methodcaller("x")),
    ),
    *(F.exception, F.bot.session.close(), Slow() + F.text, F.text[Slow()], MagicFilter((Odd(),))),
]


@pytest.mark.parametrize("magic", range(len(PLAIN)))
def test_a_magic_filter_of_names_and_plain_values_is_plain(magic: int) -> None:
    """It runs nothing that its author has written."""
    assert is_plain(PLAIN[magic])


@pytest.mark.parametrize("magic", range(len(NOT_PLAIN)))
def test_a_magic_filter_with_anything_of_its_authors_is_not_plain(magic: int) -> None:
    """A function, an object that compares itself, what it may find behind the bot or in an exception."""
    assert not is_plain(NOT_PLAIN[magic])


def in_thread() -> str:
    """Tell where this runs."""
    return "a thread" if threading.current_thread() is not threading.main_thread() else "the loop"


WITHIN: list[Callable[..., Any]] = [
    lambda asked: asked,
    lambda asked: and_f(F.text, asked),
    lambda asked: or_f(F.photo, asked),
    invert_f,
    lambda asked: or_f(invert_f(asked), and_f(asked, F.text)),
]


@pytest.mark.parametrize("within", WITHIN)
async def test_what_its_author_wrote_runs_in_a_thread(within: Callable[..., Any]) -> None:
    """One that blocks blocks nobody else, as in aiogram."""
    ran: list[bool] = []

    def note() -> bool:
        ran.append(threading.current_thread() is threading.main_thread())
        return True

    class Told(str):
        """A text that tells where it is compared."""

        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            return note()

    for asked in (lambda _: note(), F.text.func(lambda _: note()), F.text == Told("tea")):
        check = check_of(FilterObject(within(asked)))
        assert not check.at_once
        await check.ask(CAME, {})

    assert set(ran) == {False}
    assert len(ran) >= 3


@pytest.mark.parametrize("within", WITHIN)
@pytest.mark.parametrize("plain", [F.text == "tea", Shop.paying, Shop(), StateFilter(Shop)])
async def test_a_plain_filter_costs_no_thread(
    within: Callable[..., Any], plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not within others either: a thread takes longer than all the rest of an update."""

    def refuse(*_: Any) -> None:
        pytest.fail("a thread")

    monkeypatch.setattr(asyncio, "to_thread", refuse)
    filters = checks_of([FilterObject(within(plain))])

    inverted = within is invert_f
    assert await passes(filters, CAME, {"raw_state": "Shop:paying"}) is not inverted


async def test_a_state_that_a_middleware_puts_into_the_data_counts_at_once() -> None:
    """For the handlers of its router, and for those after one that has skipped."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        dispatcher.message.outer_middleware(trace.middleware("outer", raw_state="Shop:paid"))
        dispatcher.message.middleware(trace.middleware("inner", raw_state=None))
        dispatcher.message(Shop.paying)(trace.handler("never"))
        dispatcher.message(Shop.paid, F.text)(trace.handler("skipping", SkipHandler()))
        dispatcher.message(StateFilter(Shop))(trace.handler("never"))
        dispatcher.message(State(), F.photo)(trace.handler("never"))
        dispatcher.message(State(), F.text.as_("text"))(trace.handler("handler"))

    trace = await alike(build)

    ran = [who for who in trace.who if not who.endswith("after")]
    assert ran == ["outer", "inner", "skipping", "inner", "handler", "end of an update"]


STATES: list[Any] = [
    *(Shop.paying, Shop.paid, Shop(), State(), State("*"), State(state="paying", group_name="Shop")),
    *(StateFilter(Shop), StateFilter(Shop()), StateFilter(Shop.paid, "Shop:paying"), StateFilter(None)),
    *(StateFilter("*"), StateFilter(State("*")), StateFilter(Shop.paid), Choosy(), ChoosyGroup(), Starred()),
    *(StateFilter(Choosy()), StateFilter(ChoosyGroup), StateFilter(Starred), StateFilter(Starred.anything)),
]


@pytest.mark.parametrize("state", ["Shop:paying", "Shop:paid", "Other:paying", "*", None])
async def test_each_filter_of_states_lets_pass_what_aiograms_does(state: str | None) -> None:
    """States, groups, filters of several, any state and none; and those whose class has a rule of its own."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        for number, asked in enumerate(STATES):

            async def continues(*_: Any, number: int = number) -> None:
                trace.note(f"passed {number}", {})
                raise SkipHandler

            dispatcher.message(asked)(continues)

    trace = await alike(build, state=state)

    assert len(trace.who) > 1
