"""Who calls is answered before those who wait are handled, and those are not forgotten."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial

import pytest

from gateway import handler_slots
from gateway.handler_slots import CALLS_FOR_A_HANDLER, MOST_IN_A_TURN, HandlerSlots


@dataclass
class Calls:
    """The inbox, as far as the slots look at it."""

    calls: int = 0
    storing: int = 0


class Handlers:
    """Handlers that ask for a slot, and have it until they are told to end."""

    def __init__(self, slots: HandlerSlots, count: int) -> None:
        self._slots = slots
        self.begun: list[int] = []
        self.gone: set[int] = set()
        for number in range(count):
            slots.queue(partial(self._begin, number))

    def _begin(self, number: int) -> bool:
        if number in self.gone:
            return False
        self.begun.append(number)
        return True

    async def finish(self) -> None:
        """Let each of them end, those too that begin then."""
        for _ in self.begun:
            self._slots.give_back()
            await a_turn()


async def a_turn() -> None:
    """Let the event loop go round once."""
    await asyncio.sleep(0)


async def begun_each_turn(handlers: Handlers, calls: Calls, *, come: int, turns: int) -> list[int]:
    """Return how many have begun in each turn, while *come* calls come in each."""
    counts = []
    for _ in range(turns):
        before = len(handlers.begun)
        calls.calls += come
        await a_turn()
        counts.append(len(handlers.begun) - before)
    return counts


async def test_while_calls_come_one_handler_begins_for_so_many_of_them() -> None:
    """Handlers get their share of the turns, and no more."""
    calls = Calls()
    handlers = Handlers(HandlerSlots(1000, calls), 1000)
    await begun_each_turn(handlers, calls, come=1, turns=3)
    counts = await begun_each_turn(handlers, calls, come=10, turns=40)
    # What was left over of the turns before, and will be of the last.
    assert abs(sum(counts) - 40 * 10 // CALLS_FOR_A_HANDLER) <= CALLS_FOR_A_HANDLER
    assert max(counts) <= -(-10 // CALLS_FOR_A_HANDLER)
    await handlers.finish()


async def test_while_somebody_has_waited_long_one_begins_for_each_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long calls come without a pause, what waits is not more and more."""
    monkeypatch.setattr(handler_slots, "PATIENCE_SECONDS", 0.05)
    calls = Calls()
    handlers = Handlers(HandlerSlots(100_000, calls), 100_000)
    until = time.monotonic() + 0.1
    while time.monotonic() < until:
        await begun_each_turn(handlers, calls, come=1, turns=1)
    assert await begun_each_turn(handlers, calls, come=5, turns=10) == [5] * 10
    await handlers.finish()


async def test_while_redis_stores_a_call_one_begins_in_a_turn() -> None:
    """The time until Redis answers is used."""
    calls = Calls(storing=1)
    handlers = Handlers(HandlerSlots(1000, calls), 20)
    await begun_each_turn(handlers, calls, come=0, turns=3)
    assert await begun_each_turn(handlers, calls, come=0, turns=10) == [1] * 10
    await handlers.finish()


async def test_while_nobody_calls_many_begin_in_a_turn_and_each_in_its_order() -> None:
    """Together, since they are committed together."""
    calls = Calls()
    handlers = Handlers(HandlerSlots(1000, calls), 20)
    counts = await begun_each_turn(handlers, calls, come=0, turns=8)
    assert max(counts) == MOST_IN_A_TURN
    assert handlers.begun == list(range(20))
    await handlers.finish()


async def test_no_more_run_at_once_than_there_are_slots() -> None:
    """The limit of `worker.concurrency`."""
    calls = Calls()
    slots = HandlerSlots(3, calls)
    handlers = Handlers(slots, 10)
    await begun_each_turn(handlers, calls, come=0, turns=10)
    assert len(handlers.begun) == 3
    assert slots.all_taken()
    await handlers.finish()
    assert len(handlers.begun) == 10
    assert not slots.all_taken()


async def test_who_wants_it_no_more_takes_no_slot_and_no_turn() -> None:
    """The next one has it."""
    calls = Calls()
    slots = HandlerSlots(1, calls)
    handlers = Handlers(slots, 4)
    handlers.gone = {0, 1, 3}
    await a_turn()
    assert handlers.begun == [2]
    slots.give_back()
    await begun_each_turn(handlers, calls, come=0, turns=3)
    assert handlers.begun == [2]
    assert not slots.all_taken()
