"""What came of the calls that a handler made itself, so that its next run need not make them again."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from state.errors import StoreUnavailable
from state.lease import Lease
from state.packing import unpack_from_lua
from state.scripts import Scripts
from state.snapshot import pairs

#: A journal goes with its event, and no event is retried for so long; this is for what nobody foresaw.
KEEP: Final = timedelta(days=30)


def read_journal(packed: bytes | None) -> dict[str, bytes]:
    """Return the journal that a dead letter has kept, by call."""
    if packed is None:
        return {}
    return {call.decode(): result for call, result in pairs(unpack_from_lua(packed)).items()}


class Journal:
    """
    The journal of one inbox entry, for as long as the entry is owed work.

    *recorded* is what earlier runs have left, by call; *lease* the right to work on the entry.
    """

    def __init__(self, scripts: Scripts, lease: Lease, entry_id: str, recorded: Mapping[str, bytes]) -> None:
        self._scripts = scripts
        self._lease = lease
        self._entry_id = entry_id
        self._recorded = dict(recorded)
        self.unsaved: dict[str, bytes] = {}
        """What this process alone knows, since Redis was away."""

    def recall(self, call: str) -> bytes | None:
        """Return what came of *call* in an earlier run; None: it was not made, or nobody knows."""
        return self._recorded.get(call)

    def must_be_ours(self) -> None:
        """
        Make sure that no other worker is at this entry, before a call that no commit can take back.

        Raises:
            StoreUnavailable: the lease was not renewed in time: this process was paused, or cut off.
        """
        if self._lease.may_be_over:
            raise StoreUnavailable(1, reason="the lease may be over")

    @property
    def calls(self) -> Collection[str]:
        """The calls whose results are known."""
        return self._recorded.keys()

    async def record(self, call: str, result: bytes) -> None:
        """
        Keep what came of *call*.

        Raises:
            StoreUnavailable: Redis did not answer; this process remembers it all the same.
        """
        self._recorded[call] = result
        try:
            await self._scripts.journal(
                self._lease.partition, self._entry_id, call, result, keep_ms=int(KEEP.total_seconds() * 1000)
            )
        except StoreUnavailable:
            self.unsaved[call] = result
            raise
