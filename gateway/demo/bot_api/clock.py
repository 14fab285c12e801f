"""Time as the stand-in sees it."""

import time
from datetime import timedelta


class Clock:
    """The wall clock, which a test may move forward instead of waiting."""

    def __init__(self) -> None:
        self._shift = timedelta()

    def now(self) -> float:
        """Seconds since the epoch, shift included."""
        return time.time() + self._shift.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Let *by* pass at once."""
        self._shift += by
