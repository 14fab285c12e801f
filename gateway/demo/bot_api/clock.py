"""Time as the stand-in sees it."""

import time
from datetime import timedelta


class Clock:
    """The wall clock, which a test may move forward instead of waiting, or stop."""

    def __init__(self) -> None:
        self._shift_seconds = 0.0
        self._stopped_at: float | None = None

    def now(self) -> float:
        """Seconds since the epoch, shift included."""
        return (time.time() if self._stopped_at is None else self._stopped_at) + self._shift_seconds

    def advance(self, by: timedelta) -> None:
        """Let *by* pass at once."""
        self._shift_seconds += by.total_seconds()

    def stop(self) -> None:
        """Let time stand still, but for `advance`."""
        self._stopped_at = time.time()
