"""What is known of a chat itself: that it takes nothing."""

from datetime import timedelta

from state.conversation import Conversation
from state.scripts import Scripts


class Chats:
    """
    Remembers which chats take nothing from a bot.

    Delivery looks before each effect, in the same round trip as at the chat's budget.
    """

    def __init__(self, scripts: Scripts, *, remember_for: timedelta) -> None:
        self._calls = scripts.calls
        self._keys = scripts.keys
        self._remember_ms = int(remember_for.total_seconds() * 1000)

    async def close(self, conversation: Conversation, why: str) -> None:
        """
        Note that the conversation's chat takes nothing, until `reopen`.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        await self._calls.command("SET", self._keys.closed(conversation), why, "PX", self._remember_ms)

    async def reopen(self, conversation: Conversation) -> None:
        """
        Note that the conversation's chat takes messages again.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        await self._calls.command("DEL", self._keys.closed(conversation))
