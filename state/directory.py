"""Which conversations are in which state, kept by the commit itself: never a scan of all keys."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from state.conversation import Conversation
from state.grouping import GroupedCalls, Script
from state.keys import Keys

#: A group that is no supergroup has 200 members at most; each topic of each would be a conversation.
MOST_OF_CHAT = 10_000

_LIST_STATES = Script.load("list_states", after=["states"])


class CursorUnreadable(ValueError):
    """The cursor was not made by a page before."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some conversations, and where the next page begins; None: this was the last one."""

    conversations: Sequence[Conversation]
    cursor: str | None


class Directory:
    """Counts a bot's conversations by state, and lists those in one."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def counts(self, bot_id: int) -> dict[str, int]:
        """
        Return how many conversations of *bot_id* are in each state; states with none are not listed.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        answers = await asyncio.gather(
            *(self._list(number, f"{bot_id}\0", 0, "") for number in range(self._keys.partitions))
        )
        counts: dict[str, int] = {}
        for answer in answers:
            for state, count in zip(answer[::2], answer[1::2], strict=True):
                counts[state.decode()] = counts.get(state.decode(), 0) + int(count)
        return counts

    async def page(self, bot_id: int, state: str, *, limit: int, cursor: str | None = None) -> Page:
        """
        Return up to *limit* conversations in *state*, after those of the page that gave *cursor*.

        A conversation that stays in the state while its pages are read is in exactly one of them.

        Raises:
            CursorUnreadable: *cursor* is not one of ours.
            StoreUnavailable: Redis did not answer.
        """
        number, after = self._place(cursor)
        prefix = f"{bot_id}\0{state}\0"
        found: list[Conversation] = []
        while number < self._keys.partitions:
            members = await self._list(number, prefix, limit - len(found), prefix + after if after else "")
            found += [_decoded(bot_id, member) for member in members]
            if len(found) == limit:
                return Page(found, f"{number:02x}.{found[-1].encode()}")
            number, after = number + 1, ""
        return Page(found, None)

    async def of_chat(self, bot_id: int, chat_id: int) -> Sequence[Conversation]:
        """
        Return the conversations in one chat of *bot_id* that are in any state.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        number = self._keys.partition_of(Conversation(bot_id, chat_id, chat_id))
        found: list[Conversation] = []
        for state in (await self._list(number, f"{bot_id}\0", 0, ""))[::2]:
            prefix = f"{bot_id}\0{state.decode()}\0{chat_id}:"
            found += [_decoded(bot_id, each) for each in await self._list(number, prefix, MOST_OF_CHAT, "")]
        return found

    def _place(self, cursor: str | None) -> tuple[int, str]:
        if cursor is None:
            return 0, ""
        number, _, after = cursor.partition(".")
        try:
            return int(number, 16), Conversation.decode(after).encode().partition(":")[2]
        except ValueError:
            raise CursorUnreadable(cursor) from None

    async def _list(self, partition: int, prefix: str, count: int, after: str) -> Sequence[bytes]:
        names = [self._keys.states(partition), self._keys.states_until(partition)]
        answer: Sequence[bytes] = await self._calls.script(_LIST_STATES, names, [prefix, count, after])
        return answer


def _decoded(bot_id: int, member: bytes) -> Conversation:
    return Conversation.decode(f"{bot_id}:{member.decode().rpartition(chr(0))[2]}")
