"""How much one source may send."""

import time
from collections.abc import Callable


class Allowance:
    """
    So many calls a second, one second's worth of them at once.

    It is this process's own: several processes together let through as many times as much.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_seconds = 1 / per_second
        self._burst_seconds = max(0.0, 1 - self._interval_seconds)
        self._clock = clock
        self._spent_until = 0.0

    def take(self) -> float:
        """Take one call; return 0, or for how many seconds there is none to take."""
        now = self._clock()
        spent_until = max(self._spent_until, now)
        if spent_until - now > self._burst_seconds:
            return spent_until - now - self._burst_seconds
        self._spent_until = spent_until + self._interval_seconds
        return 0.0
