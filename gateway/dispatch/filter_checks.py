"""How each filter is asked: at once, awaited, or in a thread."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from aiogram.dispatcher.event.handler import CallableObject, FilterObject
from aiogram.filters import StateFilter
from aiogram.filters.logic import _AndFilter, _InvertFilter, _OrFilter
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import TelegramObject

from gateway.dispatch.plain_magic import is_plain, resolver_of

Data: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[[TelegramObject, Data], Any]


class FilterCheck(NamedTuple):
    """A filter: *ask* returns its answer, or, if that is not there *at_once*, what to await for it."""

    at_once: bool
    ask: Ask
    states: frozenset[Any] | None = None
    """The states that let pass, if it asks for nothing else."""


def prepared(called: CallableObject, data: Data) -> Data:
    """Return what of *data* is passed to *called*: `CallableObject._prepare_kwargs`."""
    return data if called.varkw else {name: data[name] for name in called.params if name in data}


def checks_of(filters: Iterable[FilterObject] | None) -> tuple[FilterCheck, ...]:
    """Return *filters* as they are asked."""
    return tuple(map(check_of, filters or ()))


def states_first(checks: tuple[FilterCheck, ...]) -> tuple[frozenset[Any] | None, tuple[FilterCheck, ...]]:
    """Return the states that the first of *checks* asks for, None for any, and what is to be asked then."""
    if checks and checks[0].states is not None:
        return checks[0].states, checks[1:]
    return None, checks


async def passes(checks: tuple[FilterCheck, ...], event: TelegramObject, data: Data) -> bool:
    """Tell whether all let *event* pass; if so, *data* has what they add to it: `HandlerObject.check`."""
    seen = data
    for at_once, ask, _ in checks:
        answer = ask(event, seen) if at_once else await ask(event, seen)
        if not answer:
            return False
        if isinstance(answer, dict):
            # What those before a refusal have added is dropped with it.
            seen = {**seen, **answer}
    if seen is not data:
        data.update(seen)
    return True


def check_of(asked: FilterObject) -> FilterCheck:
    """
    Return how *asked* is asked: `FilterObject.call`.

    aiogram sends whatever is synchronous into a thread. So does this with what the bot's author wrote, while
    aiogram's own states and plain magic filters answer at once. The names of states are looked up once, now.
    """
    callback = asked.callback
    if type(asked) is not FilterObject:
        return FilterCheck(False, lambda event, data: asked.call(event, **data))
    if asked.magic is not None and is_plain(asked.magic):
        resolve = resolver_of(asked.magic)
        return FilterCheck(True, lambda event, _: resolve(event))
    if (states := _states_of(callback)) is not None:
        return _check_of_states(states)
    if type(callback) in _LOGIC:
        return FilterCheck(False, _LOGIC[type(callback)](callback))
    if asked.awaitable:
        return FilterCheck(False, lambda event, data: callback(event, **prepared(asked, data)))
    return FilterCheck(False, lambda event, data: asked.call(event, **data))


# Filters of filters


def _inverted(callback: _InvertFilter) -> Ask:
    target = check_of(callback.target)

    async def ask(event: TelegramObject, data: Data) -> Any:
        return not bool(await _answer(target, event, data))

    return ask


def _all_of(callback: _AndFilter) -> Ask:
    targets = checks_of(callback.targets)

    async def ask(event: TelegramObject, data: Data) -> Any:
        added: Data = {}
        for target in targets:
            answer = await _answer(target, event, data)
            if not answer:
                return False
            if isinstance(answer, dict):
                added.update(answer)
        return added or True

    return ask


def _any_of(callback: _OrFilter) -> Ask:
    targets = checks_of(callback.targets)

    async def ask(event: TelegramObject, data: Data) -> Any:
        for target in targets:
            if answer := await _answer(target, event, data):
                return answer if isinstance(answer, dict) else True
        return False

    return ask


async def _answer(check: FilterCheck, event: TelegramObject, data: Data) -> Any:
    return check.ask(event, data) if check.at_once else await check.ask(event, data)


_LOGIC: Final[Mapping[type, Callable[[Any], Ask]]] = {
    _InvertFilter: _inverted,
    _AndFilter: _all_of,
    _OrFilter: _any_of,
}

# States

#: In place of "*", which may be a state's name as well.
_ANY: Final = object()


def _states_of(callback: Any) -> frozenset[Any] | None:
    """Return the states that let pass; None: *callback* is no filter of states, or not aiogram's own."""
    if type(callback) is State:
        return frozenset([_ANY if callback.state == "*" else callback.state])
    if isinstance(callback, StatesGroup) and type(callback).__call__ is StatesGroup.__call__:
        return frozenset(type(callback).__all_states_names__)
    if type(callback) is not StateFilter:
        return None
    states: set[Any] = set()
    for allowed in callback.states:
        if allowed is None or isinstance(allowed, str):
            states.add(_ANY if allowed == "*" else allowed)
            continue
        group = allowed() if isinstance(allowed, type) and issubclass(allowed, StatesGroup) else allowed
        of_this = _states_of(group)
        if of_this is None:
            return None
        states |= of_this
    return frozenset(states)


def _check_of_states(states: frozenset[Any]) -> FilterCheck:
    if _ANY in states:
        return FilterCheck(True, lambda _, __: True)
    return FilterCheck(True, lambda _, data: data.get("raw_state") in states, states)
