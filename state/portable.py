"""A conversation outside of any store: one line of JSON, which `gateway export-state` writes."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from state import fields, values
from state.changes import Change, Tracked
from state.conversation import Conversation
from state.packing import unpack_from_lua
from state.screen import BlockName, ShownBlock
from state.snapshot import Fields

_BLOCK = b"v:"
#: What only this store's layout needs: the state has a member of its own, and the index is made anew.
_OF_THE_LAYOUT = (fields.STATE, fields.REVISION, b"i")


class LineUnreadable(ValueError):
    """A line is not a conversation; the message says why."""


@dataclass(frozen=True, slots=True)
class Portable:
    """All that a conversation holds, with nothing of how its store lays it out."""

    conversation: Conversation
    state: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """As aiogram shows it: each draft is one dictionary under ``draft:<feature>``."""
    screen: Mapping[str, ShownBlock] = field(default_factory=dict)
    """Where the blocks of the screen stand, by their names."""
    own: Mapping[str, Any] = field(default_factory=dict)
    """What the gateway keeps for itself, such as the scenes to go back to."""
    garbage: Sequence[Tracked] = ()
    expires_in_ms: int | None = None
    """None: the store that takes it decides."""
    drafts_expire_in_ms: Mapping[str, int] = field(default_factory=dict)
    """For each feature whose draft expires sooner."""

    @property
    def empty(self) -> bool:
        """There is nothing to keep."""
        return self.state is None and not (self.data or self.screen or self.own or self.garbage)

    def alike(self, other: "Portable") -> bool:
        """Tell whether both hold the same; when it expires does not matter."""
        ours, theirs = (replace(each, expires_in_ms=None, drafts_expire_in_ms={}) for each in (self, other))
        return ours.members() == theirs.members()

    def change(self, ttl_ms: int) -> Change:
        """Return what writes it into a store that does not have the conversation."""
        plain, drafts = fields.split(self.data)
        for feature, expires_in_ms in self.drafts_expire_in_ms.items():
            quoted = fields.quote_feature(feature)
            if quoted in drafts:
                drafts[quoted] = replace(drafts[quoted], ttl_ms=expires_in_ms)
        return Change(
            conversation=self.conversation,
            ttl_ms=self.expires_in_ms or ttl_ms,
            basis=0,
            once=secrets.token_hex(8),
            state=self.state,
            set=plain
            | {name: values.dump(value) for name, value in self.own.items()}
            | {BlockName(name).field: block.pack() for name, block in self.screen.items()},
            drafts=drafts,
            garbage=self.garbage,
        )

    @classmethod
    def stored(
        cls,
        conversation: Conversation,
        stored: Fields,
        garbage: Fields,
        *,
        now_ms: int,
        expires_in_ms: int | None,
    ) -> "Portable":
        """Return what our own store holds of *conversation*."""
        state = stored.get(fields.STATE)
        return cls(
            conversation,
            state.decode() if state is not None else None,
            fields.read_data(stored),
            {
                name.removeprefix(_BLOCK).decode(): ShownBlock.unpack(packed)
                for name, packed in stored.items()
                if name.startswith(_BLOCK)
            },
            {
                name.decode(): values.load(packed)
                for name, packed in stored.items()
                if b":" not in name and name not in _OF_THE_LAYOUT
            },
            tuple(_tracked(place, packed) for place, packed in sorted(garbage.items())),
            expires_in_ms,
            {
                fields.unquote_feature(name[2:].decode()): int(deadline) - now_ms
                for name, deadline in stored.items()
                if name.startswith(b"e:") and int(deadline) > now_ms
            },
        )

    # The line

    def members(self) -> dict[str, Any]:
        """Return it as plain values; what is absent is left out."""
        members = {
            "conversation": self.conversation.encode(),
            "state": self.state,
            "data": dict(self.data),
            "screen": {name: asdict(block) for name, block in self.screen.items()},
            "own": dict(self.own),
            "garbage": [asdict(message) for message in self.garbage],
            "expires_in_ms": self.expires_in_ms,
            "drafts_expire_in_ms": dict(self.drafts_expire_in_ms),
        }
        return {name: value for name, value in members.items() if value not in (None, {}, [])}

    def line(self) -> bytes:
        """Return it as one line of JSON. Integers have any size; half a surrogate pair stays escaped."""
        members = self.members()
        try:
            return json.dumps(members, ensure_ascii=False).encode() + b"\n"
        except UnicodeEncodeError:
            return json.dumps(members).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> "Portable":
        """
        Return what `line` wrote.

        Raises:
            LineUnreadable: *line* is something else.
        """
        try:
            read = _Line.model_validate(json.loads(line))
            conversation = Conversation.decode(read.conversation)
        except ValidationError as error:
            raise LineUnreadable(_in_one_line(error)) from error
        except (ValueError, RecursionError) as error:
            raise LineUnreadable(f"is not one conversation as JSON ({error})") from error
        return cls(
            conversation,
            read.state,
            read.data,
            {name.value: block for name, block in read.screen.items()},
            read.own,
            tuple(read.garbage),
            read.expires_in_ms,
            read.drafts_expire_in_ms,
        )


class _Line(BaseModel):
    """What a line may hold. The values of the data are not looked at, so that they stay as they are."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    conversation: str
    state: str | None = None
    data: dict[Any, Any] = {}
    screen: dict[BlockName, ShownBlock] = {}
    own: dict[Any, Any] = {}
    garbage: list[Tracked] = []
    expires_in_ms: PositiveInt | None = None
    drafts_expire_in_ms: dict[str, PositiveInt] = {}


def _in_one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place or 'the line'}: {first['msg']}"


def _tracked(place: bytes, packed: bytes) -> Tracked:
    state, sent_at_ms, block = unpack_from_lua(packed)
    return Tracked(
        place.decode(),
        state.decode() if state else None,
        int(sent_at_ms),
        block.decode() if block else None,
    )
