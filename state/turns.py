"""The queue for turns in one conversation, as the isolation's scripts keep it."""

from state.conversation import Conversation
from state.grouping import GroupedCalls, Script
from state.keys import Keys

_ENTER = Script.load("enter", after=["clock", "turns"])
_LEAVE = Script.load("leave", after=["clock", "turns"])


class Turns:
    """First come, first served; who is not heard of in time drops out."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def enter(self, conversation: Conversation, ticket: str, lasts_ms: int) -> bool:
        """Queue for a turn, or stay in the queue; tell whether it is *ticket*'s turn."""
        return await self._queue(conversation, ticket, lasts_ms, "NEW") == 1

    async def keep(self, conversation: Conversation, ticket: str, lasts_ms: int) -> bool:
        """Renew a turn; False: it was given to somebody else."""
        return await self._queue(conversation, ticket, lasts_ms, "KEEP") == 1

    async def _queue(self, conversation: Conversation, ticket: str, lasts_ms: int, how: str) -> int:
        return int(await self._calls.script(_ENTER, self._names(conversation), [ticket, lasts_ms, how]))

    async def leave(self, conversation: Conversation, ticket: str) -> str | None:
        """Give a turn back; return the ticket whose turn it is now, whose process is told as well."""
        following = await self._calls.script(_LEAVE, self._names(conversation), [ticket, self.channel("")])
        return following.decode() if following else None

    def _names(self, conversation: Conversation) -> list[str]:
        return [self._keys.turns(conversation), self._keys.waiters(conversation)]

    def channel(self, process: str) -> str:
        """Return the channel on which *process* learns of its turns."""
        return f"{self._keys.prefix}:turn:{process}"
