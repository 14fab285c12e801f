"""G8: what is owed has limits, and at each of them callers are asked to come again while work goes on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiogram.fsm.state import State, StatesGroup
from redis.asyncio import Redis

from gateway import Director, Feature, Gateway, park
from gateway.embedded import EmbeddedRedis
from gateway.runtime import running
from gateway.settings import LimitSettings, Settings
from routers.event import Event, OtherEvent
from state.connection import connect
from state.conversation import Conversation
from state.envelope import Envelope
from state.errors import Overloaded, StoreUnavailable
from state.inbox import Disposition, Inbox
from state.layout import fix_layout
from state.pressure import Pressure
from tests.redis.conftest import Outside
from tests.waiting import wait_until

ALICE = Conversation.private(42, 501)
HOUR = timedelta(hours=1)


class Paying(StatesGroup):
    """A state that does not come by itself."""

    ready = State()


def envelope(key: str, to: Conversation | None = ALICE) -> Envelope:
    """One event of a service, known by *key*."""
    return Envelope("service", "thing.happened", key, 0, b"{}", conversation=to)


async def test_a_full_partition_takes_no_more_until_work_is_done(outside: Outside, redis: Redis) -> None:
    """A repeat of what it has is still acknowledged, and other partitions don't notice."""
    inbox = Inbox(outside.scripts, most_events=2)
    bob = next(
        other
        for other in (Conversation.private(42, number) for number in range(502, 600))
        if outside.keys.partition_of(other) != outside.keys.partition_of(ALICE)
    )
    for key in ("1", "2"):
        await inbox.accept(envelope(key), remember_for=HOUR)

    with pytest.raises(Overloaded) as refusal:
        await inbox.accept(envelope("3"), remember_for=HOUR)
    repeat = await inbox.accept(envelope("1"), remember_for=HOUR)
    elsewhere = await inbox.accept(envelope("3", bob), remember_for=HOUR)
    log = outside.keys.inbox(outside.keys.partition_of(ALICE))
    await redis.xtrim(log, maxlen=1, approximate=False)
    afterwards = await inbox.accept(envelope("3"), remember_for=HOUR)

    assert refusal.value.retry_after_seconds >= 1
    assert (repeat, elsewhere) == (Disposition.DUPLICATE, Disposition.ACCEPTED)
    assert afterwards is Disposition.ACCEPTED


async def test_a_checkout_is_taken_at_every_limit(outside: Outside) -> None:
    """It waits for none of those that are owed, and the user's payment would fail."""
    pressure = Pressure(outside.scripts, oldest=timedelta(milliseconds=10))
    inbox = Inbox(outside.scripts, most_events=1, pressure=pressure)
    await Inbox(outside.scripts).accept(envelope("1"), remember_for=HOUR)

    async def behind() -> bool:
        await pressure.measure()
        return pressure.is_behind(outside.keys.partition_of(ALICE))

    await wait_until(behind, description="the first event is too old")
    with pytest.raises(Overloaded):
        await inbox.accept(envelope("2"), remember_for=HOUR)
    assert await inbox.accept(envelope("3"), remember_for=HOUR, urgent=True) is Disposition.ACCEPTED


async def test_unresolved_events_have_the_same_limit(outside: Outside) -> None:
    """Each partition keeps only so many calls that nobody may ever claim."""
    inbox = Inbox(outside.scripts, most_events=1)
    partition = outside.keys.partition_of_call("service", "1")
    same = [
        str(number)
        for number in range(1, 1000)
        if outside.keys.partition_of_call("service", str(number)) == partition
    ]
    assert await inbox.accept(envelope("1", None), remember_for=HOUR) is Disposition.UNRESOLVED

    with pytest.raises(Overloaded):
        await inbox.accept(envelope(same[1], None), remember_for=HOUR)


async def test_a_parked_event_does_not_count(outside: Outside, settings: Settings, redis_url: str) -> None:
    """It waits for the user, who may take days, and must not keep others out."""
    feature = Feature("shop", states=Paying)

    @feature.on("thing.happened", state=Paying.ready, otherwise=park(hours=1))
    async def happened(event: Event, director: Director) -> None:
        """Never reached: the state does not come."""

    narrow = settings.model_copy(update={"limits": LimitSettings(inbox_events=1)})
    async with running(Gateway(feature), narrow, redis_url) as runtime:
        inbox = runtime.edge.inbox
        for number in range(3):

            async def taken(key: str = str(number)) -> bool:
                try:
                    return await inbox.accept(real(key), remember_for=HOUR) is not Disposition.FULL
                except Overloaded:
                    return False

            await wait_until(taken, description="the one before is parked")

    parked = outside.keys.parked(outside.keys.partition_of(ALICE))
    assert await outside.calls.command("ZCARD", parked) >= 2


def real(key: str) -> Envelope:
    """An event that a feature can be given."""
    event = OtherEvent(type="thing.happened", provider="p", object_id=key, occurred_at=datetime.now(UTC))
    return Envelope("service", event.type, key, 0, b"{}", event.encode(), ALICE)


async def test_a_partition_that_is_behind_takes_no_more(outside: Outside) -> None:
    """Nobody works, so its oldest event grows older than the limit; an event that rests does not count."""
    pressure = Pressure(outside.scripts, oldest=timedelta(milliseconds=30))
    inbox = Inbox(outside.scripts, pressure=pressure)
    partition = outside.keys.partition_of(ALICE)
    first = await inbox.take(envelope("1"), remember_for=HOUR)

    async def behind() -> bool:
        await pressure.measure()
        return pressure.is_behind(partition)

    await wait_until(behind, description="the first event is too old")
    with pytest.raises(Overloaded):
        await inbox.accept(envelope("2"), remember_for=HOUR)
    assert pressure.loads[partition].events == 1

    await outside.calls.command("ZADD", outside.keys.due(partition), 1, first.entry_id)
    assert not await behind()
    assert await inbox.accept(envelope("2"), remember_for=HOUR) is Disposition.ACCEPTED
    await wait_until(behind, description="the second event is too old")


async def test_with_full_memory_nothing_is_taken_nothing_is_lost_and_work_goes_on(
    tmp_path: Path, redis_binary: Path | None, settings: Settings
) -> None:
    """What was accepted is handled and freed, a process can start, and calls are taken when there is room."""
    handled: list[str] = []
    feature = Feature("shop")

    @feature.on("thing.happened")
    async def happened(event: Event, director: Director) -> None:
        handled.append(event.object_id)
        await director.state.update_data({event.object_id: True})

    server = EmbeddedRedis(tmp_path / "redis", binary=redis_binary, supervised=False)
    async with server, await connect(server.url) as redis:
        outside = Outside(redis)
        for number in range(20):
            await outside.inbox.accept(real(f"before {number}"), remember_for=HOUR)
        # So that a process which starts while it is full finds its layout written.
        await fix_layout(outside.calls, outside.keys)
        await redis.config_set("maxmemory", "500kb")

        with pytest.raises(StoreUnavailable) as refusal:
            await outside.inbox.accept(real("while full"), remember_for=HOUR)
        repeat = await outside.inbox.accept(real("before 0"), remember_for=HOUR)
        async with running(Gateway(feature), settings, server.url):
            await outside.settled()
        await redis.config_set("maxmemory", "100mb")
        taken = await outside.inbox.accept(real("while full"), remember_for=HOUR)

    assert refusal.value.retry_after_seconds >= 1
    assert repeat is Disposition.DUPLICATE
    assert handled == [f"before {number}" for number in range(20)]
    assert taken is Disposition.ACCEPTED
