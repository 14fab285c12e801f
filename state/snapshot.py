"""What was read of a conversation in one moment: all of it, or a part of a large one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Fields = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Needs:
    """What is to be read of a large conversation: drafts by their quoted features, and single fields."""

    features: Sequence[str] = ()
    fields: Sequence[str] = ()
    keep: Mapping[str, int] = field(default_factory=dict)
    """Drafts that this use prolongs, by their quoted features, and how long they live after it in ms."""


class Snapshot(NamedTuple):
    """What was read of a conversation; what is neither data nor a draft is always in it."""

    fields: Fields
    whole: bool = True
    """Nothing was left out."""

    @classmethod
    def read(cls, flat: Sequence[bytes], now_ms: int, extent: bytes) -> "Snapshot":
        """Return what the scripts answered."""
        return cls(unexpired(pairs(flat), now_ms), extent == b"WHOLE")


def pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return Redis's flat name, value, name, value as a mapping."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def unexpired(fields: Fields, now_ms: int) -> Fields:
    """Return *fields* without those of drafts whose time is over."""
    over = [
        name[2:] for name, deadline in fields.items() if name.startswith(b"e:") and int(deadline) <= now_ms
    ]
    if not over:
        return fields
    prefixes = tuple(b"f:" + feature + b":" for feature in over)
    names = {kind + feature for feature in over for kind in (b"e:", b"i:", b"d:draft:")}
    return {
        name: stored for name, stored in fields.items() if name not in names and not name.startswith(prefixes)
    }
