"""How a part that runs by itself is stopped."""

import asyncio
from typing import Any


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel *task* and wait for its end; what it raises then is nobody's any more."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
