"""Router trees that hypothesis grows: ours and aiogram's dispatcher never part."""

import asyncio
from collections.abc import Mapping
from itertools import count
from typing import Any, TypeAlias

from aiogram import Dispatcher, F, Router
from aiogram.dispatcher.event.bases import REJECTED, UNHANDLED, CancelHandler, SkipHandler
from aiogram.filters import Command, StateFilter, and_f, invert_f, or_f
from aiogram.fsm.state import State, StatesGroup
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dispatch.traces import Trace, alike, message

Tree: TypeAlias = Mapping[str, Any]


class Shop(StatesGroup):
    """The states of these bots."""

    paying = State()
    paid = State()


WAYS = ["on", "on", "adds", "stops", "twice", "other data", "other response", "skips", "fails"]
ENDS = [
    None,
    "done",
    UNHANDLED,
    REJECTED,
    SkipHandler(),
    SkipHandler(),
    CancelHandler(),
    ValueError("broken"),
]
ANSWERS = [True, True, False, {"found": 1}, {"found": 2, "also": 3}]
FILTERS = [
    *(F.text == "tea", F.text.startswith("t").as_("start"), F.text, ~F.text, F.text.func(len)),
    *(F.from_user.id.in_({501, 502}), F.photo, F.text.regexp(r"te(.)").as_("match"), F.text.cast(int)),
    *(
        Shop.paying,
        Shop.paid,
        State("*"),
        Shop(),
        StateFilter(Shop, None),
        StateFilter("*"),
        StateFilter(None),
    ),
    *(Command("tea"), ~Command("tea"), and_f(F.text, F.text.as_("text")), or_f(F.photo, Shop.paying)),
    *(and_f(Shop.paid, F.text), or_f(F.photo, F.text.as_("text")), invert_f(Shop.paying)),
]


def lists(of: list[Any], most: int = 2) -> st.SearchStrategy[list[Any]]:
    """Return up to *most* of these."""
    return st.lists(st.sampled_from(of), max_size=most)


FILTER_LISTS = lists([*ANSWERS, *FILTERS])
HANDLERS = st.lists(st.tuples(st.sampled_from(ENDS), FILTER_LISTS, st.booleans()), max_size=3)
NODES = st.fixed_dictionaries(
    {
        "outer": lists(WAYS),
        "inner": lists(WAYS),
        "filters": FILTER_LISTS,
        "handlers": HANDLERS,
        "errors": HANDLERS,
    }
)
TREES: st.SearchStrategy[Tree] = st.recursive(
    NODES.map(lambda node: {**node, "below": []}),
    lambda below: st.tuples(NODES, st.lists(below, max_size=3)).map(
        lambda both: {**both[0], "below": both[1]}
    ),
    max_leaves=6,
)


def middleware(trace: Trace, who: str, way: str) -> Any:
    """Return a middleware that goes its way."""

    async def middleware(handler: Any, event: Any, data: dict[str, Any]) -> Any:
        trace.note(who, data)
        if way == "adds":
            data[who] = "added"
        if way == "stops":
            return UNHANDLED
        if way == "skips":
            raise SkipHandler
        if way == "fails":
            raise LookupError(who)
        if way == "other data":
            data = {**data, who: "other"}
        response = await handler(event, data)
        trace.note(f"{who}, after", data)
        if way == "twice":
            response = await handler(event, data)
        return "other" if way == "other response" else response

    return middleware


def handler(trace: Trace, who: str, end: Any, threaded: bool) -> Any:
    """Return a handler that ends so, in a thread if it is *threaded*."""
    if not threaded:
        return trace.handler(who, end)

    def in_a_thread(event: Any, raw_state: str | None, found: Any = None) -> Any:
        trace.note(who, {"event": event, "raw_state": raw_state, "found": found})
        if isinstance(end, BaseException):
            raise end
        return end

    return in_a_thread


def grow(router: Router, tree: Tree, trace: Trace, kinds: Mapping[str, str], numbers: Any) -> None:
    """Register at *router* what *tree* says, for each of *kinds* its part of the tree."""

    def asked(filters: list[Any]) -> list[Any]:
        return [
            trace.asked(f"filter {next(numbers)}", item) if isinstance(item, bool | dict) else item
            for item in filters
        ]

    for kind, part in kinds.items():
        observer = router.observers[kind]
        for way in tree["outer"]:
            observer.outer_middleware(middleware(trace, f"outer {next(numbers)}", way))
        for way in tree["inner"]:
            observer.middleware(middleware(trace, f"inner {next(numbers)}", way))
        if kind != "error":
            observer.filter(*asked(tree["filters"]))
        for end, filters, threaded in tree[part]:
            who = f"handler {next(numbers)}"
            observer.register(handler(trace, who, end, threaded), *asked(filters if kind != "error" else []))
    for below in tree["below"]:
        child = Router(name=f"router {next(numbers)}")
        router.include_router(child)
        grow(child, below, trace, kinds, numbers)


@given(TREES, st.sampled_from(["tea", "/tea", "coffee"]), st.sampled_from(["Shop:paying", "Shop:paid", None]))
@settings(max_examples=150)
def test_ours_and_aiograms_never_part(tree: Tree, text: str, state: str | None) -> None:
    """Whatever is registered where: the same runs in the same order, sees the same, ends alike."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        grow(dispatcher, tree, trace, {"message": "handlers", "error": "errors"}, count())

    asyncio.run(alike(build, message(text), message(text), state=state))
