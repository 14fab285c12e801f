"""Which webhook each bot was given, and who gives them: one process at a time."""

from datetime import timedelta

from state.grouping import GroupedCalls
from state.keys import Keys


class WebhookLog:
    """
    What Telegram was told of each bot's webhook, as a digest.

    Telegram does not tell a webhook's secret, so whether that has changed is known from here only.
    """

    def __init__(self, calls: GroupedCalls, keys: Keys, *, process: str) -> None:
        self._calls = calls
        self._keys = keys
        self._process = process

    async def leads(self, lasts: timedelta) -> bool:
        """
        Tell whether this process is the one that speaks to Telegram, for so long.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        name, ms = self._keys.webhook_leader, int(lasts.total_seconds() * 1000)
        taken = await self._calls.command("SET", name, self._process, "NX", "PX", ms)
        return taken is not None or await self._calls.command("GET", name) == self._process.encode()

    async def step_down(self) -> None:
        """
        Let another process lead at once.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        if await self._calls.command("GET", self._keys.webhook_leader) == self._process.encode():
            await self._calls.command("DEL", self._keys.webhook_leader)

    async def told(self, bot_id: int) -> str | None:
        """
        Return the digest of what Telegram was told last.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        digest: bytes | None = await self._calls.command("HGET", self._keys.meta, f"webhook:{bot_id}")
        return digest.decode() if digest is not None else None

    async def note(self, bot_id: int, digest: str) -> None:
        """
        Remember *digest*.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        await self._calls.command("HSET", self._keys.meta, f"webhook:{bot_id}", digest)

    async def forget(self, bot_id: int) -> None:
        """
        Forget what Telegram was told.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        await self._calls.command("HDEL", self._keys.meta, f"webhook:{bot_id}")
