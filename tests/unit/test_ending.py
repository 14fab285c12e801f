"""Parts that run by themselves end when they are told to."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from state import ending


async def test_a_task_that_loses_its_cancellation_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As redis-py's writes can before Python 3.12; a process that waited for it would not drain."""
    monkeypatch.setattr(ending, "INSIST_AFTER", timedelta(milliseconds=10))
    heard = 0

    async def hard_of_hearing() -> None:
        nonlocal heard
        while heard < 3:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            heard += 1

    task = asyncio.create_task(hard_of_hearing())
    await asyncio.sleep(0)
    await ending.ended(task)

    assert task.done()
    assert heard == 3


async def test_what_a_task_raises_at_its_end_is_nobodys() -> None:
    """It has no owner any more; those that ended by themselves are waited for too."""

    async def fails() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError

    async def done() -> None:
        """Nothing."""

    tasks = [asyncio.create_task(fails()), asyncio.create_task(done())]
    await asyncio.sleep(0)
    await ending.ended(*tasks)

    assert all(task.done() for task in tasks)
