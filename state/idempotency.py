"""One idempotency key stands for one body."""

import hashlib
from datetime import timedelta

from state.grouping import GroupedCalls
from state.keys import Keys


class Idempotency:
    """Remembers which body came with a key, for callers who choose their keys themselves."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def fits(self, source: str, key: str, body: bytes, *, remember_for: timedelta) -> bool:
        """
        Tell whether *key* is new or came with the same *body* before; False: it stands for another one.

        Nothing rests on this alone: that a repeat changes nothing is the inbox's promise.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        digest = hashlib.sha256(body).digest()
        remember_ms = int(remember_for.total_seconds() * 1000)
        before = await self._calls.command(
            "SET", self._keys.idempotency(source, key), digest, "NX", "GET", "PX", remember_ms
        )
        return before is None or before == digest
