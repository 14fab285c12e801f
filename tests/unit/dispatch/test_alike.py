"""Our dispatcher runs what aiogram's runs, in its order, with its data."""

from typing import Any

import pytest
from aiogram import Dispatcher, F, Router
from aiogram.dispatcher.event.bases import REJECTED, UNHANDLED, CancelHandler, SkipHandler
from aiogram.dispatcher.flags import get_flag
from aiogram.filters import Command
from aiogram.fsm.state import State
from aiogram.handlers import MessageHandler

from tests.unit.dispatch.traces import STATE, USER, Trace, alike, message, update


async def test_middlewares_run_from_the_update_down_and_outer_ones_before_filters() -> None:
    """Outer of the update, of each router before its filters, then inner ones from the root on."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        parent, child = Router(name="parent"), Router(name="child")
        dispatcher.include_router(parent)
        parent.include_router(child)
        dispatcher.update.outer_middleware(trace.middleware("outer of updates", added_first=1))
        dispatcher.update.middleware(trace.middleware("inner of updates", added_second=2))
        for router in (dispatcher, parent, child):
            name = "root" if router is dispatcher else router.name
            router.message.outer_middleware(trace.middleware(f"outer 1 of {name}", outer=name))
            router.message.outer_middleware(trace.middleware(f"outer 2 of {name}"))
            router.message.middleware(trace.middleware(f"inner 1 of {name}", inner=name))
            router.message.middleware(trace.middleware(f"inner 2 of {name}"))
            router.message.filter(trace.asked(f"filter of {name}", {f"filter of {name}": True}))
        child.message(trace.asked("filter", {"found": 7}))(trace.handler("handler", "done"))

    trace = await alike(build, director="given", token="of the update")

    before = [who for who in trace.who if not who.endswith("after")]
    assert before == [
        *("outer of updates", "inner of updates"),
        *("outer 1 of root", "outer 2 of root", "filter of root"),
        *("outer 1 of parent", "outer 2 of parent", "filter of parent"),
        *("outer 1 of child", "outer 2 of child", "filter of child", "filter"),
        *("inner 1 of root", "inner 2 of root", "inner 1 of parent", "inner 2 of parent"),
        *("inner 1 of child", "inner 2 of child", "handler", "end of an update"),
    ]
    assert trace.saw("handler", "found") == 7
    assert trace.saw("handler", "director") == "given"
    assert trace.saw("handler", "token") == "of the update"
    assert trace.saw("handler", "raw_state") == STATE
    assert trace.saw("handler", "event_router") == "router child"
    assert trace.saw("handler", "handler") == "handler handler"


@pytest.mark.parametrize("only", ["outer middleware", "root filter", "inner middleware"])
async def test_a_router_without_handlers_has_its_part_all_the_same(only: str) -> None:
    """What is at its observer may look at an event, and count or stop it."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        first, below, second = Router(name="first"), Router(name="below"), Router(name="second")
        dispatcher.include_routers(first, second)
        first.include_router(below)
        match only:
            case "outer middleware":
                below.message.outer_middleware(trace.middleware(only))
            case "root filter":
                below.message.filter(trace.asked(only, False))
            case _:
                below.message.middleware(trace.middleware(only))
        second.message()(trace.handler("handler"))

    trace = await alike(build)

    assert (only in trace.who) is (only != "inner middleware")


async def test_what_a_router_adds_is_seen_below_it_and_not_beside_it() -> None:
    """Neither what its filters find nor what its middlewares add, even after a handler has skipped."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        first, below, second = Router(name="first"), Router(name="below"), Router(name="second")
        dispatcher.include_routers(first, second)
        first.include_router(below)
        first.message.outer_middleware(trace.middleware("outer of first", from_outer=1))
        first.message.filter(trace.asked("root filter of first", {"from_root_filter": 2}))
        first.message.middleware(trace.middleware("inner of first", from_inner=3))
        first.message(trace.asked("filter of first", {"from_filter": 4}))(
            trace.handler("skipping", SkipHandler())
        )
        first.message(trace.asked("refusing", {"of_refused": 5}), trace.asked("no", False))(
            trace.handler("never")
        )
        first.message(trace.asked("seen by the next handler", False))(trace.handler("never"))
        below.message(trace.asked("filter of below", False))(trace.handler("never"))
        second.message()(trace.handler("handler"))

    trace = await alike(build)

    assert trace.who[-2:] == ["handler", "end of an update"]
    assert trace.saw("filter of below", "from_outer") == 1
    assert trace.saw("filter of below", "from_root_filter") == 2
    assert trace.saw("filter of below", "from_filter") is None
    # One list of handlers shares what those before have found, if their filters let it pass.
    assert trace.saw("seen by the next handler", "from_filter") == 4
    assert trace.saw("seen by the next handler", "from_inner") == 3
    assert trace.saw("seen by the next handler", "of_refused") is None
    assert not {"from_outer", "from_root_filter", "from_inner", "from_filter"} & set(
        next(data for who, data in trace.entries if who == "handler")
    )


@pytest.mark.parametrize(
    "response",
    [None, "a response", UNHANDLED, REJECTED, SkipHandler(), CancelHandler(), ValueError("broken")],
    ids=repr,
)
async def test_each_end_of_a_handler_goes_on_or_ends_as_in_aiogram(response: Any) -> None:
    """The next handler, the routers below, the next router, or nobody."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        router, below, beside = Router(name="router"), Router(name="below"), Router(name="beside")
        dispatcher.include_routers(router, beside)
        router.include_router(below)
        router.message()(trace.handler("first", response))
        for other in (router, below, beside):
            other.message()(trace.handler(f"other of {other.name}"))

    trace = await alike(build)

    assert trace.who[0] == "first"


@pytest.mark.parametrize("where", ["update", "router", "inner"])
@pytest.mark.parametrize(
    "way", ["stops", "twice", "other data", "other response", "skips", "cancels", "fails"]
)
async def test_a_middleware_may_do_as_it_likes(where: str, way: str) -> None:
    """Not call on, call twice, pass other data, return something else, raise."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        async def middleware(handler: Any, event: Any, data: dict[str, Any]) -> Any:
            trace.note("middleware", data)
            match way:
                case "stops":
                    return UNHANDLED
                case "twice":
                    return [await handler(event, data), await handler(event, data)]
                case "other data":
                    return await handler(event, {**data, "other": 1})
                case "other response":
                    await handler(event, data)
                    return "other"
                case "skips":
                    raise SkipHandler
                case "cancels":
                    raise CancelHandler
            raise ValueError(way)

        router, beside = Router(name="router"), Router(name="beside")
        dispatcher.include_routers(router, beside)
        {
            "update": dispatcher.update.outer_middleware,
            "router": router.message.outer_middleware,
            "inner": router.message.middleware,
        }[where](middleware)
        router.message.outer_middleware(trace.middleware("outer", outer=1))
        router.message.middleware(trace.middleware("inner", inner=1))
        router.message()(trace.handler("handler", "done"))
        router.message()(trace.handler("second handler", "done"))
        beside.message()(trace.handler("beside", "done"))
        dispatcher.error(trace.asked("filter of errors", False))(trace.handler("never"))

    trace = await alike(build)

    assert "middleware" in trace.who


async def test_a_middleware_can_tell_which_handler_it_is_around() -> None:
    """By the data, by its flags, and by what is wrapped."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        async def middleware(handler: Any, event: Any, data: dict[str, Any]) -> Any:
            trace.note(
                "middleware", {"flag": get_flag(data, "rate"), "wrapped": handler.__wrapped__.__self__}
            )
            return await handler(event, data)

        dispatcher.message.middleware(middleware)
        dispatcher.message(Command("tea"), flags={"rate": "slow"})(trace.handler("handler"))

    trace = await alike(build, message("/tea with milk"))

    assert trace.saw("middleware", "flag") == "slow"
    assert trace.saw("middleware", "wrapped") == "handler handler"
    assert trace.saw("handler", "command").args == "with milk"


async def test_a_class_handles() -> None:
    """A class-based handler has event and data of its own."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        @dispatcher.message()
        class Handler(MessageHandler):
            async def handle(self) -> Any:
                trace.note("class", {"event": self.event, "bot": self.bot, **self.data})
                return "done"

    trace = await alike(build)

    assert trace.who == ["class", "end of an update"]
    assert trace.saw("class", "bot") == 42


async def test_a_handler_gets_the_arguments_that_it_names() -> None:
    """No others, and those that it does not name do not bother it."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        @dispatcher.message(F.text.as_("text"))
        async def handler(event: Any, text: str, *, raw_state: str | None, missing: int = 3) -> None:
            trace.note("handler", {"text": text, "raw_state": raw_state, "missing": missing})

    trace = await alike(build)

    assert trace.entries[0] == ("handler", {"text": "tea", "raw_state": STATE, "missing": 3})


EACH_KIND = [
    message(),
    message(chat={"id": -100, "type": "supergroup"}, message_thread_id=7, is_topic_message=True),
    update(callback_query={"id": "1", "from": USER, "chat_instance": "1", "data": "tea"}),
    update(inline_query={"id": "1", "from": USER, "query": "tea", "offset": ""}),
    update(poll_answer={"poll_id": "1", "user": USER, "option_ids": [0], "option_persistent_ids": ["1"]}),
    update(
        pre_checkout_query={
            "id": "1",
            "from": USER,
            "currency": "EUR",
            "total_amount": 4200,
            "invoice_payload": "tea",
        }
    ),
    update(
        deleted_business_messages={
            "business_connection_id": "JTLB",
            "chat": {"id": 501, "type": "private"},
            "message_ids": [1],
        }
    ),
]


@pytest.mark.parametrize("came", EACH_KIND, ids=lambda came: came.event_type)
async def test_each_kind_of_update_has_its_user_its_chat_and_its_state(came: Any) -> None:
    """`event_from_user`, `event_chat`, `event_thread_id`, `event_context`, `state`, `raw_state`."""

    def build(dispatcher: Dispatcher, trace: Trace) -> None:
        router = Router(name="router")
        dispatcher.include_router(router)
        for kind in ("message", came.event_type):
            router.observers[kind](State(state="paying", group_name="Shop"))(trace.handler("in state"))
            router.observers[kind]()(trace.handler("in any"))

    trace = await alike(build, came)

    assert trace.who[0] in {"in state", "in any"}
