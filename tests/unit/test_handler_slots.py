"""Who calls is answered before those who wait are handled, and those are not forgotten."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from gateway.handler_slots import CALLS_FOR_A_HANDLER, MOST_IN_A_TURN, HandlerSlots


@dataclass
class Calls:
    """The inbox, as far as the slots look at it."""

    calls: int = 0
    storing: int = 0


class Handlers:
    """Handlers that begin in a slot and run until they are told to end."""

    def __init__(self, slots: HandlerSlots, count: int) -> None:
        self._slots = slots
        self.begun: list[int] = []
        self.end = asyncio.Event()
        self.tasks = [asyncio.create_task(self._run(number)) for number in range(count)]

    async def _run(self, number: int) -> None:
        async with self._slots:
            self.begun.append(number)
            await self.end.wait()

    async def finish(self) -> None:
        """Let all of them end."""
        self.end.set()
        await asyncio.gather(*self.tasks)


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


async def test_who_is_cancelled_while_it_waits_takes_no_slot() -> None:
    """The next one has it."""
    calls = Calls()
    slots = HandlerSlots(1, calls)
    handlers = Handlers(slots, 3)
    await begun_each_turn(handlers, calls, come=0, turns=5)
    handlers.tasks[1].cancel()
    handlers.tasks[0].cancel()
    for task in handlers.tasks[:2]:
        with suppress(asyncio.CancelledError):
            await task
    await begun_each_turn(handlers, calls, come=0, turns=3)
    assert handlers.begun == [0, 2]
    handlers.end.set()
    await handlers.tasks[2]
    assert not slots.all_taken()


async def test_who_is_cancelled_as_its_turn_comes_gives_the_slot_back() -> None:
    """A slot that was given to nobody would be lost for good."""
    calls = Calls()
    slots = HandlerSlots(1, calls)
    handlers = Handlers(slots, 2)
    await a_turn()
    # Its turn has been given, and it has not run since.
    asyncio.get_running_loop().call_soon(handlers.tasks[0].cancel)
    await begun_each_turn(handlers, calls, come=0, turns=5)
    assert 1 in handlers.begun
    handlers.end.set()
    await asyncio.gather(*handlers.tasks, return_exceptions=True)
    assert not slots.all_taken()
