"""What a handler has written so far and nobody else has seen."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, fields
from typing import Literal

from state.changes import Change, DraftChange, Tracked
from state.expectations import Expectation
from state.fields import data_field, quote_feature
from state.outbox import Effect, EffectKind
from state.timers import Timer


@dataclass(slots=True)
class StagedDraft:
    """What a handler did to one draft: values set, and None for those deleted."""

    clear: bool = False
    fields: dict[str, bytes | None] = field(default_factory=dict)
    ttl_ms: int | None = None

    def change(self) -> DraftChange:
        """Return it as a part of a change."""
        return DraftChange(
            clear=self.clear,
            set={name: stored for name, stored in self.fields.items() if stored is not None},
            delete=[name for name, stored in self.fields.items() if stored is None],
            ttl_ms=self.ttl_ms,
        )


@dataclass(slots=True)
class Staged:
    """All writes of one unit of work."""

    state: str | Literal[False] | None = None
    """False: no state any more; None: as before."""
    replace: Literal["all", "data"] | None = None
    """All data goes first, and the drafts with it or not."""
    data: dict[str, bytes | None] = field(default_factory=dict)
    drafts: dict[str, StagedDraft] = field(default_factory=dict)
    touched: dict[str, int] = field(default_factory=dict)
    """Drafts that were read, by quoted feature, and how long they live from the commit on in ms."""
    own: dict[str, bytes] = field(default_factory=dict)
    """Fields of the conversation that are neither data nor a draft, such as the history of its scenes."""
    effects: list[Effect] = field(default_factory=list)
    garbage: list[tuple[str, int]] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)
    timers: dict[str, Timer] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        # To have read a draft is not a deed.
        names = (each.name for each in fields(self) if each.name != "touched")
        return self.state is not None or any(getattr(self, name) for name in names)

    def put_into(self, change: Change, state: str | None, *, partition: int, user_is_there: bool) -> None:
        """Make all of it part of *change*, which leaves its conversation, in *partition*, in *state*."""
        if self.state is not None:
            change.state = self.state
        if self.replace is not None:
            change.replace = self.replace
        if self.touched:
            change.touch = self.touched
        if self.data or self.own:
            stored = {data_field(key): value for key, value in self.data.items()}
            change.set = {name: value for name, value in stored.items() if value is not None} | self.own
            change.delete = [name for name, value in stored.items() if value is None]
        if self.drafts:
            change.drafts = {quote_feature(feature): draft.change() for feature, draft in self.drafts.items()}
        if self.garbage:
            change.garbage = [Tracked(place, state, sent_at_ms) for place, sent_at_ms in self.garbage]
        if self.effects:
            change.effects = [effect.pack(state, user_is_there=user_is_there) for effect in self.effects]
            change.shows = [
                effect.payload["block"] for effect in self.effects if effect.kind is EffectKind.SHOW
            ]
        if self.timers or self.cancelled:
            change.timers = [timer.setting() for timer in self.timers.values()]
            change.cancel = sorted(self.cancelled)
        if self.expectations:
            change.expectations = [expected.registration(partition) for expected in self.expectations]

    def copy(self) -> "Staged":
        """Return a copy that later writes do not reach."""
        copied = Staged(**{each.name: copy(getattr(self, each.name)) for each in fields(self)})
        copied.drafts = {
            feature: StagedDraft(draft.clear, dict(draft.fields), draft.ttl_ms)
            for feature, draft in self.drafts.items()
        }
        return copied


def overlay(now: dict[bytes, bytes], staged: Mapping[bytes, bytes | None]) -> None:
    """Write *staged* over the fields in *now*; None removes one."""
    for name, stored in staged.items():
        if stored is None:
            now.pop(name, None)
        else:
            now[name] = stored
