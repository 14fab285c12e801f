"""Events that were given up: each with its reason, to be looked at, replayed or discarded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from state.conversation import Conversation
from state.envelope import Envelope
from state.expectations import partition_of_token
from state.grouping import Script
from state.journal import read_journal
from state.kept import CHUNK, KeptEvent, KeptEvents, Selection, id_of, split_id
from state.outcomes import Replayed
from state.packing import unpack
from state.snapshot import pairs
from state.subscribers import SOURCE_PREFIX
from state.watch import KEEP_OWED_FOR

_REPLAY: Final = Script.load("replay")
_REPLAY_WORD: Final = Script.load("replay_word")
#: Words to subscribers end here too; it is the subscriber that gets them again.
_SUBSCRIBER: Final = "subscriber"


@dataclass(frozen=True, slots=True)
class DeadLetter(KeptEvent):
    """One event that was given up."""

    reason: str
    """``parked``, ``handler failed: KeyError``, ``unresolved``, ``attempts``, ``unreadable`` ..."""
    detail: str
    """The last traceback, or a sentence."""
    attempts: int
    """Runs of its handler that were begun."""
    first_id: str | None
    """The inbox id that its sender knows it by."""
    calls: Sequence[str]
    """The calls of the Bot API that its handler has made; a replay does not make them again."""


class DeadLetters(KeptEvents[DeadLetter]):
    """The dead letters of all partitions. A replay gives an event its place at the end of the inbox."""

    async def count(self) -> int:
        """
        Return how many there are.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        return await self._total("XLEN", [self._keys.dead(number) for number in range(self._keys.partitions)])

    async def get(self, event_id: str) -> DeadLetter | None:
        partition, entry_id = split_id(event_id, self._keys.partitions)
        rows = await self._scripts.calls.command("XRANGE", self._keys.dead(partition), entry_id, entry_id)
        return _letter(partition, *rows[0]) if rows else None

    async def replay(self, event_id: str) -> Replayed:
        """
        Move one letter back to the inbox, once; what its handler has sent is not sent again.

        Raises:
            NotAnId: *event_id* is no id.
            StoreUnavailable: Redis did not answer; asking again shows whether it was moved.
        """
        letter = await self.get(event_id)
        return await self._replay(letter) if letter is not None else Replayed.GONE

    async def replay_all(self, selection: Selection, *, dry_run: bool = False) -> Mapping[Replayed, int]:
        """
        Move the letters of *selection* back to the inbox, the oldest first; return how many ended how.

        A *dry_run* moves nothing, and counts what would be tried as REPLAYED.

        Raises:
            StoreUnavailable: Redis did not answer; what was moved stays so.
        """
        outcomes: Counter[Replayed] = Counter()
        last = await self._scripts.calls.command("TIME")
        until_ms = int(last[0]) * 1000 + int(last[1]) // 1000
        async for letter in self.scan(selection):
            if letter.kept_since_ms > until_ms:
                # It has died again of what we have just replayed.
                break
            outcomes[Replayed.REPLAYED if dry_run else await self._replay(letter)] += 1
        return outcomes

    async def discard(self, event_id: str) -> bool:
        """
        Delete one letter for good; False: there is no such letter.

        Raises:
            NotAnId: *event_id* is no id.
            StoreUnavailable: Redis did not answer.
        """
        partition, entry_id = split_id(event_id, self._keys.partitions)
        return bool(await self._scripts.calls.command("XDEL", self._keys.dead(partition), entry_id))

    async def _replay(self, letter: DeadLetter) -> Replayed:
        keys = self._keys
        partition, entry_id = split_id(letter.id, keys.partitions)
        if letter.reason == _SUBSCRIBER:
            subscriber = letter.envelope.source.removeprefix(SOURCE_PREFIX)
            owed = keys.owed_to(partition, subscriber)
            keep_ms = int(KEEP_OWED_FOR.total_seconds() * 1000)
            answer = await self._scripts.calls.script(
                _REPLAY_WORD, [keys.dead(partition), owed], [entry_id, keep_ms]
            )
            return Replayed(answer[0])
        names = [
            keys.dead(partition),
            keys.inbox(partition),
            keys.lease(partition),
            keys.resolved(partition),
            keys.ended(partition, letter.first_id or ""),
        ]
        token = letter.envelope.token
        if token is not None and partition_of_token(token, keys.partitions) == partition:
            names.append(keys.expectation(partition, token))
        answer = await self._scripts.calls.script(_REPLAY, names, [entry_id, keys.wake_channel("")])
        return Replayed(answer[0])

    async def read(self, partition: int, start: str, *, newest_first: bool) -> Sequence[DeadLetter]:
        key, command = self._keys.dead(partition), self._scripts.calls.command
        if newest_first:
            rows = await command("XREVRANGE", key, start, "-", "COUNT", CHUNK)
        else:
            rows = await command("XRANGE", key, start, "+", "COUNT", CHUNK)
        return [_letter(partition, entry_id, flat) for entry_id, flat in rows]


def _letter(partition: int, entry_id: bytes, flat: Sequence[bytes]) -> DeadLetter:
    fields, place = pairs(flat), entry_id.decode()
    why = unpack(fields[b"why"])
    conversation = Conversation.decode(fields[b"c"].decode()) if b"c" in fields else None
    return DeadLetter(
        id=id_of(partition, place),
        envelope=Envelope.unpack(fields[b"e"], conversation),
        conversation=conversation,
        kept_since_ms=int(place.partition("-")[0]),
        reason=why["reason"],
        detail=why["detail"],
        attempts=int(fields.get(b"a", b"0")),
        first_id=_first_id(fields),
        calls=list(read_journal(fields.get(b"j"))),
    )


def _first_id(fields: Mapping[bytes, bytes]) -> str | None:
    first = fields.get(b"o", fields.get(b"i"))
    return first.decode() if first is not None else None
