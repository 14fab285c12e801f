"""How a part that runs by itself is stopped."""

import asyncio
from datetime import timedelta
from typing import Any

#: A task that is still there after so long is cancelled once more.
INSIST_AFTER = timedelta(seconds=2)


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """
    Cancel *tasks* and return when all have ended; what they raise then is nobody's any more.

    Once is not enough before Python 3.12: `asyncio.wait_for`, within which redis-py writes each command,
    forgets a cancellation that meets its result. https://github.com/python/cpython/issues/86296
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=INSIST_AFTER.total_seconds())
    await asyncio.gather(*tasks, return_exceptions=True)
