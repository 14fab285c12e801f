"""Timers: committed with the state, fired once, cancelled by name or with the state they belong to."""

import re
import time
from datetime import timedelta

import pytest
from aiogram.fsm.state import State, StatesGroup

from gateway import Director, Feature, Gateway, TimerFired
from gateway.runtime import Runtime
from routers.event import OtherEvent
from state.conversation import Conversation
from state.outcomes import Fired
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


async def _commands(outside: Outside) -> int:
    """How many commands on sorted sets Redis has been sent, which is how timers are looked for."""
    info = (await outside.calls.command("INFO", "commandstats")).decode()
    return sum(int(calls) for calls in re.findall(r"cmdstat_z\w+:calls=(\d+)", info))


async def test_a_hundred_thousand_pending_timers_cost_nothing_while_they_wait(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """As many commands as with none, until one more timer has fired."""
    fill = """
        for number = 1, 100000 do
          redis.call('ZADD', KEYS[1], ARGV[1] + number, '42:' .. number .. ':1 waits')
        end"""
    partition = outside.keys.partition_of(conversation)
    far = int((time.time() + timedelta(days=1).total_seconds()) * 1000)
    fired: list[tuple[str, str, object]] = []
    runtime = await run(_shop(fired))

    async def spent() -> int:
        before = await _commands(outside)
        await _set(runtime, seconds=1)
        count = len(fired)
        await wait_until(lambda: len(fired) > count, description="one more timer fires")
        await outside.settled()
        return await _commands(outside) - before

    with_none = await spent()
    await outside.calls.command("EVAL", fill, 1, outside.keys.timers(partition), far)
    with_many = await spent()

    # The bounds leave room for a busy machine's seconds; a look at each timer would be far outside.
    assert with_many < with_none + 1000
    assert await outside.calls.command("ZCARD", outside.keys.timers(partition)) == 100_000


async def test_a_timer_whose_worker_dies_before_its_event_is_handled_comes_once(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """It had been moved into the inbox; whoever takes the partition over finds it there, once."""
    await _storage_only(outside, conversation)
    partition = outside.keys.partition_of(conversation)
    lease = await outside.scripts.claim(partition, "dying", 300)
    assert lease is not None
    timers, now_ms = Timers(outside.scripts), int(time.time() * 1000)
    (due,) = await timers.due(partition, now_ms, 10)
    assert await timers.fire(lease, due, now_ms) is Fired.FIRED
    assert await timers.fire(lease, due, now_ms) is Fired.GONE

    fired: list[tuple[str, str, object]] = []
    await run(_shop(fired))
    await run(_shop(fired))
    await wait_until(lambda: bool(fired), description="the timer's event is handled")
    await outside.settled()

    assert len(fired) == 1


async def test_a_worker_that_has_lost_its_lease_fires_nothing(
    outside: Outside, conversation: Conversation
) -> None:
    """A paused process that wakes up must not fire what another one has in hand."""
    await _storage_only(outside, conversation)
    partition = outside.keys.partition_of(conversation)
    await outside.scripts.claim(partition, "another", 60_000)
    timers, now_ms = Timers(outside.scripts), int(time.time() * 1000)
    (due,) = await timers.due(partition, now_ms, 10)

    assert await timers.fire("paused/1", due, now_ms) is Fired.FENCED
    assert await outside.calls.command("XLEN", outside.keys.inbox(partition)) == 0


async def test_a_timers_event_obeys_the_state_that_its_handler_asks_for(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """Like any other event: too late for a state, it is ignored by name."""
    feature, seen = Feature("shop", states=_Order), []

    @feature.on("payment.expired", state=_Order.paying)
    async def expired(event: TimerFired) -> None:
        seen.append(event.type)

    @feature.on("checked")
    async def checked(event: TimerFired) -> None:
        seen.append(event.type)

    runtime = await run(feature)
    await runtime.container.storage.set_state(conversation.storage_key(), _Order.paid)
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        director.after("payment.expired", seconds=0.05)
        director.after("checked", seconds=0.1)

    await wait_until(lambda: bool(seen), description="the second timer is handled")
    await outside.settled()

    assert seen == ["checked"]


async def test_a_timer_without_a_time_or_with_data_that_cannot_be_kept_is_refused(run: Run) -> None:
    """By the line that sets it, not later by the commit."""
    runtime = await run(_shop([]))
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        with pytest.raises(ValueError, match="after how long"):
            director.after("payment.expired")
        with pytest.raises(TypeError):
            director.after("payment.expired", minutes=1, data={"order": object()})
