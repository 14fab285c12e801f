"""When a source's provider was asked last, so that several processes ask as often as one."""

from datetime import timedelta

from state.grouping import GroupedCalls
from state.keys import Keys


class Inquiries:
    """Turns of asking, shared by all processes."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def take_turn(self, source: str, *, lasts: timedelta) -> bool:
        """
        Tell whether *source* was not asked for *lasts*; from now on it was.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        ms = max(1, int(lasts.total_seconds() * 1000))
        return bool(await self._calls.command("SET", self._keys.inquiry(source), "1", "NX", "PX", ms))
