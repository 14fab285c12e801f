"""Words that subscribers are owed: each change of state that they want to know of, until they have it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from state.conversation import Conversation
from state.envelope import Envelope
from state.grouping import Argument, GroupedCalls, Script
from state.history import Transition, read_transition
from state.keys import Keys
from state.packing import pack
from state.snapshot import pairs
from state.watch import KEEP_OWED_FOR

#: What a given-up word's envelope calls its source, before the subscriber's name.
SOURCE_PREFIX = "subscriber:"

_END = Script.load("end_word", when_full=True)


@dataclass(frozen=True, slots=True)
class OwedWord:
    """One change of state that one subscriber is owed word of."""

    id: str
    partition: int
    conversation: Conversation
    transition: Transition
    first_id: str
    """The id that it had when it was first owed; a replay gives it another place, and keeps this."""


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a word was sent in vain, and when it is sent next, in ms."""

    made: int = 0
    next_at_ms: int = 0


class SubscriberLog:
    """What one subscriber is owed, partition by partition, in the order in which it came about."""

    def __init__(self, calls: GroupedCalls, keys: Keys, subscriber: str) -> None:
        self.subscriber = subscriber
        self._calls = calls
        self._keys = keys

    async def owed(self, partition: int) -> int:
        """
        Return how many words of *partition* are owed.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        return int(await self._calls.command("XLEN", self._keys.owed_to(partition, self.subscriber)))

    async def read(self, partition: int, count: int) -> Sequence[OwedWord]:
        """
        Return the oldest *count* words.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        key = self._keys.owed_to(partition, self.subscriber)
        rows = await self._calls.command("XRANGE", key, "-", "+", "COUNT", count)
        return [
            OwedWord(
                entry_id.decode(),
                partition,
                Conversation.decode(flat[1].decode()),
                read_transition(flat[3], partition),
                (flat[5] if len(flat) > 4 else entry_id).decode(),
            )
            for entry_id, flat in rows
        ]

    async def tries(self, partition: int) -> Mapping[str, Tries]:
        """
        Return what was sent in vain, by the word's id.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        rows = await self._calls.command("HGETALL", self._keys.tries(partition, self.subscriber))
        return {
            entry_id.decode(): Tries(*map(int, packed.split(b" ")))
            for entry_id, packed in pairs(rows).items()
        }

    async def postpone(self, word: OwedWord, tries: Tries) -> None:
        """
        Note that *word* was sent in vain.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        keep_ms = int(KEEP_OWED_FOR.total_seconds() * 1000)
        made = self._keys.tries(word.partition, self.subscriber)
        owed = self._keys.owed_to(word.partition, self.subscriber)
        await asyncio.gather(
            self._calls.command("HSET", made, word.id, f"{tries.made} {tries.next_at_ms}"),
            *(self._calls.command("PEXPIRE", key, keep_ms) for key in (made, owed)),
        )

    async def end(self, word: OwedWord) -> None:
        """
        Note that the subscriber has *word*.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        await self._end(word, "", "", "")

    async def give_up(self, word: OwedWord, envelope: Envelope, why: Mapping[str, object]) -> None:
        """
        Make a dead letter of *word*, which *envelope* holds as it was sent.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        await self._end(word, envelope.pack(), word.conversation.encode(), pack(dict(why)))

    async def _end(self, word: OwedWord, *arguments: Argument) -> None:
        keys = self._keys
        names = [
            keys.owed_to(word.partition, self.subscriber),
            keys.tries(word.partition, self.subscriber),
            keys.dead(word.partition),
        ]
        await self._calls.script(_END, names, [word.id, *arguments])
