"""Effects: what we owe Telegram."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import structlog

from state.conversation import Conversation
from state.grouping import GroupedCalls
from state.keys import Keys
from state.packing import pack, unpack

log = structlog.get_logger(__name__)


class EffectKind(Enum):
    """What Telegram is asked to do."""

    SHOW = "show"
    """Bring a block of the screen to this content: edit, or send."""
    NOTICE = "notice"
    """Send a message that goes when the state is left."""
    DELETE = "delete"
    """Delete messages."""
    CALL = "call"
    """Call one Bot API method."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that we owe Telegram: plain data, and the state that the conversation was left in."""

    kind: EffectKind
    payload: dict[str, Any]
    state: str | None = None
    user_is_there: bool = False
    """It answers what a person has just done in the chat."""

    def pack(self, state: str | None, *, user_is_there: bool = False) -> bytes:
        """Return the stored form of an effect whose commit leaves the conversation in *state*."""
        there = {"there": True} if user_is_there else {}
        return pack({"kind": self.kind.value, "state": state, **there, **self.payload})

    @property
    def deed(self) -> str:
        """Return what it is in two words: ``show content``, ``call SendMessage``."""
        return f"{self.kind.value} {self.payload.get('block') or self.payload.get('method') or ''}".rstrip()

    @classmethod
    def unpack(cls, packed: bytes) -> "Effect":
        payload = unpack(packed)
        state, there = payload.pop("state", None), payload.pop("there", False)
        return cls(EffectKind(payload.pop("kind")), payload, state, there)


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An effect, its place in the outbox and the conversation that it is for."""

    id: str
    conversation: Conversation
    effect: Effect

    @property
    def owed_since_ms(self) -> int:
        """When it was committed, by Redis's clock."""
        return int(self.id.partition("-")[0])


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """Some effects, the id that the next page begins after, and whether there may be more."""

    entries: Sequence[OutboxEntry]
    cursor: str
    more: bool


class Outbox:
    """Reads one partition's effects, oldest first."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    @property
    def connections(self) -> int:
        """How many connections to Redis there have been."""
        return self._calls.connections

    async def read(self, partition: int, *, after: str, count: int) -> OutboxPage:
        """
        Return up to *count* effects that were added after the one with id *after* ("0": from the oldest).

        One that cannot be read stays owed and is passed over: in a rolling update a newer version wrote it,
        and a newer version will read it.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        rows = await self._calls.command(
            "XRANGE", self._keys.outbox(partition), f"({after}", "+", "COUNT", count
        )
        entries = [entry for row in rows if (entry := _read(*row)) is not None]
        return OutboxPage(entries, rows[-1][0].decode() if rows else after, len(rows) == count)


def _read(entry_id: bytes, flat: Sequence[bytes]) -> OutboxEntry | None:
    # The fields stand in the order in which commit.lua and record.lua write them: c, e.
    try:
        conversation, effect = Conversation.decode(flat[1].decode()), Effect.unpack(flat[3])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        log.error("an effect cannot be read; it stays owed", effect=entry_id.decode(), error=repr(error))  # noqa: TRY400 - the bytes are at fault, not a line of ours
        return None
    return OutboxEntry(entry_id.decode(), conversation, effect)
