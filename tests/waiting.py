"""Waiting for a condition, instead of sleeping and hoping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable


async def wait_until(
    predicate: Callable[[], bool | Awaitable[bool]], *, description: str, seconds: float = 30
) -> None:
    """
    Return as soon as *predicate* holds.

    Raises:
        AssertionError: it did not within *seconds*; names *description*.
    """
    give_up_at = time.monotonic() + seconds
    while True:
        holds = predicate()
        if await holds if inspect.isawaitable(holds) else holds:
            return
        if time.monotonic() >= give_up_at:
            raise AssertionError(f"not within {seconds:g} s: {description}")
        await asyncio.sleep(0.01)
