"""Which token a provider's payment or booking came with, for its later events that carry none."""

import hashlib
from datetime import timedelta
from typing import Final

from state.grouping import GroupedCalls
from state.keys import Keys

#: Chargebacks come up to four months after the payment, and are told for a while.
REMEMBER_FOR: Final = timedelta(days=180)


class ProviderObjects:
    """Tokens by source and object."""

    def __init__(self, calls: GroupedCalls, keys: Keys, *, remember_for: timedelta = REMEMBER_FOR) -> None:
        self._calls = calls
        self._keys = keys
        self._ms = int(remember_for.total_seconds() * 1000)

    async def remember(self, source: str, object_id: str, token: str) -> None:
        """
        Keep that *object_id* of *source* came with *token*.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        await self._calls.command("SET", self._key(source, object_id), token, "PX", self._ms)

    async def token_of(self, source: str, object_id: str) -> str | None:
        """
        Return the token that *object_id* of *source* last came with.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        found = await self._calls.command("GET", self._key(source, object_id))
        return found.decode() if found is not None else None

    def _key(self, source: str, object_id: str) -> str:
        # A provider's id can be of any length and hold anything.
        digest = hashlib.sha256(object_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return self._keys.provider_object(source, digest)
