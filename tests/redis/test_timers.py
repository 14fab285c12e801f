"""Timers: committed with the state, fired once, cancelled by name or with the state they belong to."""

import time
from datetime import timedelta

from aiogram.fsm.state import State, StatesGroup

from gateway import Director, Feature, Gateway, TimerFired
from gateway.runtime import Runtime
from routers.event import OtherEvent
from state.conversation import Conversation
from state.snapshot import Snapshot
from state.timers import Timers
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until


class _Order(StatesGroup):
    paying = State()
    paid = State()


def _shop(fired: list[tuple[str, str, object]]) -> Gateway:
    feature = Feature("shop", states=_Order)

    @feature.on("payment.expired")
    async def expired(event: TimerFired) -> None:
        fired.append((event.type, event.object_id, event.data.get("order")))

    @feature.on("order.placed")
    async def placed(event: OtherEvent, director: Director) -> None:
        await director.state.set_state(_Order.paying)
        director.after("payment.expired", seconds=0.2, data={"order": event.object_id}, cancel_on_leave=True)

    return Gateway(feature)


async def _pending(outside: Outside, conversation: Conversation) -> set[str]:
    return set(await Timers(outside.scripts).pending(conversation))


async def _set(
    runtime: Runtime, *, seconds: float, name: str = "payment.expired", bound: bool = False
) -> None:
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        director.after("payment.expired", seconds=seconds, name=name, cancel_on_leave=bound)


async def test_a_timer_comes_as_an_event_of_its_conversation(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """Set by a handler, delivered to `on(...)`, with its data, once though two workers run."""
    fired: list[tuple[str, str, object]] = []
    await run(_shop(fired))
    await run(_shop(fired))
    await outside.send("order.placed", to=conversation, object_id="7")

    await wait_until(lambda: bool(fired), description="the timer fires")
    await outside.settled()

    assert fired == [("payment.expired", "payment.expired", "7")]
    assert await _pending(outside, conversation) == set()


async def test_a_timer_survives_a_restart_and_fires_late_rather_than_never(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """Its time came while nothing was running."""
    fired: list[tuple[str, str, object]] = []
    unit_of = await _storage_only(outside, conversation)
    assert unit_of == {"payment.expired"}

    await run(_shop(fired))

    await wait_until(lambda: bool(fired), description="the timer fires")
    await outside.settled()
    assert fired == [("payment.expired", "payment.expired", None)]


async def _storage_only(outside: Outside, conversation: Conversation) -> set[str]:
    from state.timers import Timer
    from state.unit_of_work import UnitOfWork

    unit = UnitOfWork(conversation, Snapshot({}), outside.keys)
    unit.set_timer(Timer("payment.expired", "payment.expired", int(time.time() * 1000) - 60_000))
    await outside.scripts.commit(unit.change(ttl_ms=60_000, basis=None))
    return await _pending(outside, conversation)


async def test_a_timer_is_replaced_and_cancelled_by_its_name(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """The second of one name counts, and a cancelled one never comes."""
    fired: list[tuple[str, str, object]] = []
    runtime = await run(_shop(fired))
    await _set(runtime, seconds=3600, name="first")
    await _set(runtime, seconds=0.1, name="first")
    await _set(runtime, seconds=0.3, name="second")
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        director.cancel("second")
    await _set(runtime, seconds=0.5, name="third")

    await wait_until(lambda: len(fired) == 2, description="two timers fire")
    await outside.settled()

    assert [name for _, name, _ in fired] == ["first", "third"]


async def test_leaving_the_state_cancels_the_timers_that_belong_to_it(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """Whoever leaves it: here it is a plain writer of the storage. Others stay."""
    runtime = await run(_shop([]))
    storage, key = runtime.container.storage, conversation.storage_key()
    await storage.set_state(key, _Order.paying)
    await _set(runtime, seconds=3600, name="bound", bound=True)
    await _set(runtime, seconds=3600, name="free")
    await storage.set_state(key, _Order.paid)

    assert await _pending(outside, conversation) == {"free"}


async def test_a_timer_that_has_fired_is_still_cancelled_before_its_event_is_handled(
    outside: Outside, conversation: Conversation
) -> None:
    """The payment came in the same second."""
    await _storage_only(outside, conversation)
    partition = outside.keys.partition_of(conversation)
    lease = await outside.scripts.claim(partition, "worker", 60_000)
    assert lease is not None
    timers = Timers(outside.scripts)
    (due,) = await timers.due(partition, int(time.time() * 1000), 10)
    await timers.fire(lease, due, int(time.time() * 1000))
    assert await outside.scripts.calls.command("XLEN", outside.keys.inbox(partition)) == 1

    from state.unit_of_work import UnitOfWork

    unit = UnitOfWork(conversation, Snapshot({}), outside.keys)
    unit.cancel_timer("payment.expired")
    await outside.scripts.commit(unit.change(ttl_ms=60_000, basis=None))

    assert await outside.scripts.calls.command("XLEN", outside.keys.inbox(partition)) == 0


async def test_a_hundred_thousand_pending_timers_cost_nothing_while_they_wait(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """The clock asks for the first one only: one more timer is fired as promptly as with none."""
    fill = """
        for number = 1, 100000 do
          redis.call('ZADD', KEYS[1], ARGV[1] + number, '42:' .. number .. ':1 waits')
        end"""
    partition = outside.keys.partition_of(conversation)
    far = int((time.time() + timedelta(days=1).total_seconds()) * 1000)
    await outside.scripts.calls.command("EVAL", fill, 1, outside.keys.timers(partition), far)
    fired: list[tuple[str, str, object]] = []
    runtime = await run(_shop(fired))

    started = time.monotonic()
    await _set(runtime, seconds=0.2)
    await wait_until(lambda: bool(fired), description="one more timer fires")

    assert time.monotonic() - started < 2
    assert await outside.scripts.calls.command("ZCARD", outside.keys.timers(partition)) == 100_000
