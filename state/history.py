"""Why a conversation is as it is: its last changes, written by the commits that made them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from state.conversation import Conversation
from state.delivered import Delivered
from state.grouping import GroupedCalls
from state.keys import Keys
from state.packing import unpack, unpack_from_lua

#: An entry of so many members is a delivery (record.lua); the others are changes (commit.lua).
_DELIVERY = 2


@dataclass(frozen=True, slots=True)
class Transition:
    """One change, and what caused it."""

    at_ms: int
    source: str
    type: str
    idempotency_key: str
    event_id: str | None
    from_state: str | None
    to_state: str | None
    revision: int
    drafts: Mapping[str, Sequence[str]]
    """The fields of each draft that were written or removed; ``*`` stands for a cleared draft."""
    did: Sequence[str]
    """What the chat was owed for it."""


@dataclass(frozen=True, slots=True)
class Account:
    """The last changes of one conversation, and what its chat was brought to show, each the newest first."""

    transitions: Sequence[Transition]
    deliveries: Sequence[tuple[int, Delivered]]
    """With the time of each, in ms."""


class History:
    """Reads the last changes of conversations."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def of(self, conversation: Conversation) -> Account:
        """
        Return what has happened in *conversation*, as far back as it is kept.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        rows = await self._calls.command("LRANGE", self._keys.history(conversation), 0, -1)
        partition = self._keys.partition_of(conversation)
        transitions, deliveries = [], []
        for row in rows:
            members = unpack_from_lua(row)
            if len(members) == _DELIVERY:
                deliveries.append((int(members[0]), Delivered.unpack(members[1])))
            else:
                transitions.append(read_transition(row, partition))
        return Account(transitions, deliveries)


def event_id(partition: int, entry_id: str) -> str:
    """Return the name of an event outside of the store: its partition and its place in the inbox."""
    return f"{partition:02x}-{entry_id}"


def read_transition(row: bytes, partition: int) -> Transition:
    """Return the change that commit.lua packed; a writer that gave no cause is nobody."""
    at_ms, before, after, revision, cause = unpack_from_lua(row)
    source, type_, key, entry_id, drafts, did = unpack(cause) if cause else ("", "", "", "", {}, ())
    return Transition(
        int(at_ms),
        source,
        type_,
        key,
        event_id(partition, entry_id) if entry_id else None,
        before.decode() if before else None,
        after.decode() if after else None,
        int(revision),
        drafts,
        did,
    )
