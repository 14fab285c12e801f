"""A limit of time for many waits at once."""

import asyncio
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self

#: What an event loop's clock may be short of a deadline when its timer rings: uvloop's counts milliseconds.
_RINGS_EARLY_SECONDS: Final = 0.001


class TimeLimit:
    """
    `asyncio.timeout` of one length, for waits that come by the thousand.

    A timer of its own for each of them costs more than what most of them wait for. Waits of one length end in
    the order in which they began, so one timer does, the oldest one's.
    """

    def __init__(self, limit: timedelta) -> None:
        self._seconds = limit.total_seconds()
        # In the order of their deadlines: a dict is a queue out of whose middle one can go.
        self._waits: dict[LimitedWait, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_set = False

    def wait(self) -> "LimitedWait":
        """
        Return what a task enters for as long as it may wait; it does as `asyncio.timeout` does.

        A task that is in it at the end of the limit is cancelled there and leaves it with TimeoutError.
        """
        return LimitedWait(self)

    def current_task(self) -> asyncio.Task[Any]:
        """Return the task that runs now."""
        # Asked for by the thousand, and to find the running loop takes a system call: it is the last one's.
        task = asyncio.current_task(self._loop) if self._loop is not None else None
        task = task or asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be limited")
        return task

    def begin(self, wait: "LimitedWait", loop: asyncio.AbstractEventLoop) -> None:
        """Count the time of *wait* from now, on the clock of the running *loop*."""
        if loop is not self._loop:
            # What a loop that has been closed leaves does not ring and does not end any more.
            self._loop, self._is_set = loop, False
            self._waits.clear()
        wait.deadline = loop.time() + self._seconds
        self._waits[wait] = None
        if not self._is_set:
            self._is_set = True
            loop.call_at(wait.deadline, self._ring)

    def end(self, wait: "LimitedWait") -> None:
        """Forget *wait*, which has ended."""
        # The timer goes on: to set it again for each oldest one would be a timer for each of them.
        self._waits.pop(wait, None)

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time() + _RINGS_EARLY_SECONDS
        self._is_set = False
        while self._waits:
            oldest = next(iter(self._waits))
            if oldest.deadline > now:
                self._is_set = True
                loop.call_at(oldest.deadline, self._ring)
                return
            del self._waits[oldest]
            oldest.expire()


class LimitedWait:
    """One wait within a `TimeLimit`, entered once."""

    __slots__ = ("_cancelling", "_expired", "_limit", "_task", "deadline")

    def __init__(self, limit: TimeLimit) -> None:
        self._limit = limit
        self._expired = False
        self.deadline = 0.0
        """On the clock of the loop."""

    def expired(self) -> bool:
        """Tell whether its time is over: a TimeoutError that leaves it may be the waiting code's own."""
        return self._expired

    def expire(self) -> None:
        """Cancel the task that waits."""
        self._expired = True
        self._task.cancel()

    async def __aenter__(self) -> Self:
        task = self._limit.current_task()
        self._task = task
        self._cancelling = task.cancelling()
        self._limit.begin(self, task.get_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._limit.end(self)
        # Somebody else may have cancelled the task as well, and then it is theirs and not late.
        if (
            self._expired
            and self._task.uncancel() <= self._cancelling
            and kind is not None
            and issubclass(kind, asyncio.CancelledError)
        ):
            raise TimeoutError from error
