"""The handlers that are under way: each in a task of its own, which a stop lets end."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from gateway.partition import PartitionLog
from state.ending import ended

log = structlog.get_logger(__name__)


class UnderWay:
    """Tasks that work in partitions."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        # Who has it begin may be at somebody else's call: what that has set in its context is no handler's.
        self._context = copy_context()

    def begin(
        self, work: Coroutine[Any, Any, None], name: str, held: PartitionLog, on_end: Callable[[], None]
    ) -> None:
        """Do *work* in *held*; call *on_end* when it has ended, even if it was cancelled before it began."""
        task = self._loop.create_task(work, name=name, context=self._context.copy())
        self._tasks.add(task)
        held.enter(task)
        task.add_done_callback(partial(self._ended, held, on_end))

    def _ended(self, held: PartitionLog, on_end: Callable[[], None], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        held.leave(task)
        on_end()

    async def end(self, limit: timedelta) -> None:
        """Return when nothing is under way any more; what takes longer than *limit* is cancelled."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=limit.total_seconds())
            for task in late:
                log.warning(
                    "a handler did not end in time; its event stays in the inbox", task=task.get_name()
                )
            await ended(*late)
