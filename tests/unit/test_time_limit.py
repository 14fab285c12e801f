"""One timer for many waits of one length does what a timer for each of them would do."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from state.time_limit import TimeLimit

SHORT = timedelta(milliseconds=30)


async def endless() -> None:
    """Wait for nothing."""
    await asyncio.Event().wait()


async def test_what_takes_too_long_ends_with_a_timeout() -> None:
    """The task goes on behind it, not cancelled."""
    limit = TimeLimit(SHORT)

    with pytest.raises(TimeoutError):
        async with limit.wait() as wait:
            await endless()

    task = asyncio.current_task()
    assert task is not None
    assert (wait.expired(), task.cancelling()) == (True, 0)


async def test_what_ends_in_time_is_left_alone() -> None:
    """Long after, too."""
    limit = TimeLimit(SHORT)

    async with limit.wait() as wait:
        await asyncio.sleep(0)
    await asyncio.sleep(3 * SHORT.total_seconds())

    assert not wait.expired()


async def test_each_wait_has_the_whole_limit() -> None:
    """The one timer is the oldest wait's, also where that has ended and a later one has not."""
    loop = asyncio.get_running_loop()
    limit = TimeLimit(SHORT)

    async def late_by(pause_seconds: float) -> float:
        await asyncio.sleep(pause_seconds)
        began = loop.time()
        with pytest.raises(TimeoutError):
            async with limit.wait():
                await endless()
        return loop.time() - began

    async with limit.wait():
        pass
    took = await asyncio.gather(*(late_by(pause / 1000) for pause in (0, 10, 20, 100)))

    assert min(took) >= SHORT.total_seconds() - 0.002


async def test_many_waits_set_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what it is for."""
    loop = asyncio.get_running_loop()
    limit = TimeLimit(timedelta(seconds=60))
    timers: list[float] = []

    def call_at(when: float, callback: Callable[[], None]) -> None:
        timers.append(when)

    monkeypatch.setattr(loop, "call_at", call_at)
    for _ in range(100):
        async with limit.wait():
            pass

    assert len(timers) == 1


async def test_a_cancellation_by_somebody_else_stays_one() -> None:
    """A process that stops cancels what runs: that is not late."""
    limit = TimeLimit(timedelta(seconds=60))
    waits = []

    async def waiting() -> None:
        async with limit.wait() as wait:
            waits.append(wait)
            await endless()

    task = asyncio.create_task(waiting())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert not waits[0].expired()


async def test_who_is_cancelled_and_late_at_once_is_cancelled() -> None:
    """The cancellation must not get lost in a TimeoutError."""
    limit = TimeLimit(SHORT)

    async def waiting() -> None:
        try:
            async with limit.wait():
                try:
                    await endless()
                finally:
                    task.cancel()
        except TimeoutError:
            pytest.fail("the cancellation was taken for the limit's own")

    task = asyncio.create_task(waiting())

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_inner_of_two_limits_leaves_the_outer_one_alone() -> None:
    """Its timeout can be dealt with inside of the other."""
    outer, inner = TimeLimit(timedelta(seconds=60)), TimeLimit(SHORT)

    async with outer.wait() as wait:
        with pytest.raises(TimeoutError):
            async with inner.wait():
                await endless()
        await asyncio.sleep(0)

    assert not wait.expired()


async def test_a_timeout_of_the_waiting_code_is_told_apart() -> None:
    """By `expired`, as with asyncio's own."""
    limit = TimeLimit(timedelta(seconds=60))

    with pytest.raises(TimeoutError):
        async with limit.wait() as wait:
            raise TimeoutError

    assert not wait.expired()


def test_a_limit_works_in_another_loop_too() -> None:
    """An application is started again in the same process, say by a test; the first timer is gone then."""
    limit = TimeLimit(SHORT)

    async def leaves_a_wait_behind() -> None:
        await limit.wait().__aenter__()

    async def is_late() -> None:
        with pytest.raises(TimeoutError):
            async with limit.wait():
                await endless()

    asyncio.run(leaves_a_wait_behind())
    asyncio.run(is_late())
