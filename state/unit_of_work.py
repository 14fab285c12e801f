"""The snapshot that a handler reads and the writes that it stages, committed at once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from aiogram.fsm.storage.base import StorageKey

from state import fields, values
from state.basis import EVERYTHING, Basis
from state.conversation import Conversation
from state.expectations import Expectation, mint
from state.keys import Keys
from state.outbox import Effect
from state.scripts import Change
from state.snapshot import Snapshot
from state.staged import Staged, StagedDraft, overlay
from state.timers import Timer
from state.within import Within

_current: ContextVar["UnitOfWork | None"] = ContextVar("unit_of_work", default=None)


class UnitOfWork:
    """
    One conversation, read once and written once.

    What a handler reads is its basis with its own writes over it. Nothing reaches Redis before the commit.
    """

    def __init__(
        self,
        conversation: Conversation,
        snapshot: Snapshot,
        keys: Keys,
        *,
        former: Conversation | None = None,
    ) -> None:
        """*former* is the same conversation under the id of the group that its supergroup was."""
        self.conversation = conversation
        self.former = former
        self.key = conversation.storage_key()
        self.closed = False
        self.user_is_there = False
        self._keys = keys
        self.basis = Basis(snapshot)
        self._staged = Staged()

    # What a handler reads

    @property
    def revision(self) -> int:
        """The revision that this unit of work was computed from."""
        return self.basis.revision

    @property
    def state(self) -> str | None:
        """The state, as this handler has left it so far."""
        self.basis.look_at(fields.STATE)
        return self._state_now()

    def _state_now(self) -> str | None:
        if self._staged.state is not None:
            return self._staged.state or None
        stored = self._stored(fields.STATE)
        return stored.decode() if stored is not None else None

    def data(self) -> dict[str, Any]:
        """Return all data, each draft as one dictionary under ``draft:<feature>``."""
        self.basis.look_at(EVERYTHING)
        staged = self._staged
        if staged.drafts or staged.replace:
            return fields.read_data(self._fields_now())
        data = fields.read_data(self.basis.fields)
        for key, stored in staged.data.items():
            if stored is not None:
                data[key] = values.load(stored)
            else:
                data.pop(key, None)
        return data

    def value(self, key: str, default: Any = None) -> Any:
        """Return one value of the data; *default* if there is none."""
        if key.startswith(fields.DRAFT) and (draft := self.draft(key.removeprefix(fields.DRAFT))):
            return draft
        stored = self._staged.data.get(key, self._untouched(key))
        return self._load(fields.data_field(key).encode(), stored, default)

    def draft(self, feature: str) -> dict[str, Any]:
        """Return one feature's draft."""
        self.basis.look_at(fields.draft_field(feature, "").encode())
        return fields.read_draft(self._fields_now(), feature)

    def draft_value(self, feature: str, name: str, default: Any = None) -> Any:
        """Return one field of a draft; *default* if there is none."""
        staged = self._staged.drafts.get(feature)
        field_name = fields.draft_field(feature, name).encode()
        if staged is not None and (name in staged.fields or staged.clear):
            stored = staged.fields.get(name)
            return values.load(stored) if stored is not None else default
        stored = None if self._staged.replace == "all" else self._stored(field_name)
        return self._load(field_name, stored, default)

    def block(self, name: str) -> bytes | None:
        """Return what is known of one block of the screen, as stored."""
        return self._stored(b"v:" + name.encode())

    def own(self, name: str) -> Any:
        """Return one of the conversation's own fields, such as the history of its scenes; None: not set."""
        field_name = name.encode()
        return self._load(field_name, self._staged.own.get(name, self._stored(field_name)))

    def _untouched(self, key: str) -> bytes | None:
        replaced = self._staged.replace
        if replaced == "all" or (replaced == "data" and not key.startswith(fields.DRAFT)):
            return None
        return self._stored(fields.data_field(key).encode())

    def _stored(self, name: bytes) -> bytes | None:
        return self.basis.fields.get(name)

    def _load(self, name: bytes, stored: bytes | None, default: Any = None) -> Any:
        self.basis.look_at(name)
        return values.load(stored) if stored is not None else default

    def _fields_now(self) -> Mapping[bytes, bytes]:
        """Return the fields of data and drafts as this handler has left them so far."""
        if not (self._staged.drafts or self._staged.data or self._staged.replace):
            return self.basis.fields
        now = self._fields_before()
        for feature, staged in self._staged.drafts.items():
            prefix = fields.draft_field(feature, "").encode()
            if staged.clear:
                now = {name: stored for name, stored in now.items() if not name.startswith(prefix)}
                now.pop(fields.data_field(fields.DRAFT + feature).encode(), None)
            overlay(now, {prefix + name.encode(): stored for name, stored in staged.fields.items()})
        overlay(now, {fields.data_field(key).encode(): stored for key, stored in self._staged.data.items()})
        return now

    def _fields_before(self) -> dict[bytes, bytes]:
        match self._staged.replace:
            case None:
                return dict(self.basis.fields)
            case "data":
                return {name: v for name, v in self.basis.fields.items() if fields.is_of_a_draft(name)}
            case "all":
                return {}

    # What a handler writes

    def set_state(self, state: str | None) -> None:
        """Stage the new state; None leaves the conversation without one."""
        self._staged.state = state if state is not None else False

    def set_data(self, data: Mapping[str, Any], draft_ttl_ms: int | None = None) -> None:
        """Stage *data* in place of all data and drafts."""
        self._staged.replace = "all"
        self._staged.data.clear()
        self._staged.drafts.clear()
        self.update_data(data, draft_ttl_ms)

    def clear_data(self) -> None:
        """Stage the removal of all data; drafts stay."""
        staged = self._staged
        staged.replace = staged.replace or "data"
        staged.data = {key: stored for key, stored in staged.data.items() if key.startswith(fields.DRAFT)}

    def update_data(self, data: Mapping[str, Any], draft_ttl_ms: int | None = None) -> None:
        """Stage the keys of *data*; a draft among them is replaced, and lives *draft_ttl_ms*."""
        for key, value in data.items():
            feature = key.removeprefix(fields.DRAFT)
            if fields.draft_of(key, value) is not None:
                self._staged.drafts[feature] = StagedDraft(clear=True)
                self.set_draft(feature, value, draft_ttl_ms)
                continue
            if key.startswith(fields.DRAFT):
                self._staged.drafts[feature] = StagedDraft(clear=True)
            self._staged.data[key] = values.dump(value)

    def set_draft(self, feature: str, items: Mapping[str, Any], ttl_ms: int | None = None) -> None:
        """Stage fields of one draft; its other fields stay. From the commit on it lives *ttl_ms*."""
        staged = self._staged.drafts.setdefault(feature, StagedDraft())
        staged.ttl_ms = ttl_ms if ttl_ms is not None else staged.ttl_ms
        staged.fields.update({name: values.dump(item) for name, item in items.items()})
        if items:
            # A value that was kept under the draft's name is none of its fields, and goes.
            self._staged.data[fields.DRAFT + feature] = None

    def delete_from_draft(self, feature: str, *names: str) -> None:
        """Stage the removal of fields of one draft."""
        self._staged.drafts.setdefault(feature, StagedDraft()).fields.update(dict.fromkeys(names))

    def clear_draft(self, feature: str) -> None:
        """Stage the removal of one draft, and of nothing else."""
        self._staged.drafts[feature] = StagedDraft(clear=True)
        self._staged.data.pop(fields.DRAFT + feature, None)

    def touch_draft(self, feature: str, ttl_ms: int) -> None:
        """Note that *feature*'s draft was used, and so lives *ttl_ms* from the commit on."""
        self._staged.touched[fields.quote_feature(feature)] = ttl_ms

    def add_effect(self, effect: Effect) -> None:
        """Stage something that we will owe Telegram."""
        self._staged.effects.append(effect)

    def track(self, place: str, sent_at_ms: int) -> None:
        """Stage a message, ``chat:message``, as garbage of the state that this unit of work ends in."""
        self._staged.garbage.append((place, sent_at_ms))

    def set_own(self, name: str, value: Any) -> None:
        """
        Stage one of the conversation's own fields.

        Raises:
            TypeError: *value* has no JSON form.
        """
        self._staged.own[name] = values.dump(value)

    def set_timer(self, timer: Timer) -> None:
        """Stage a timer, in place of one of the same name."""
        self._staged.timers[timer.name] = timer

    def cancel_timer(self, name: str) -> None:
        """Stage the end of a timer; its event is not handled even if it is in the inbox already."""
        self._staged.timers.pop(name, None)
        self._staged.cancelled.add(name)

    def expect(self, expectation: Expectation) -> None:
        """Stage an expectation; what came for its token already is handled after the commit."""
        self._staged.expectations.append(expectation)

    def new_token(self) -> str:
        """Return a token for an expectation of this conversation."""
        return mint(self._keys.partition_of(self.conversation))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what was staged within the ``with`` block if it ends in an exception."""
        before = self._staged.copy()
        try:
            yield
        except BaseException:
            self._staged = before
            raise

    # The end

    @property
    def final_state(self) -> str | None:
        """The state that this unit of work ends in; looking at it is not reading."""
        return self._state_now()

    @property
    def untouched(self) -> bool:
        """Nothing was staged."""
        return not self._staged

    @property
    def deeds(self) -> list[str]:
        """What the staged effects are, in words for the history."""
        return [effect.deed for effect in self._staged.effects]

    def change(self, *, ttl_ms: int, basis: int | None, **more: Any) -> Change:
        """Return all that was staged, as one change; *more* are members of `Change`."""
        change = Change(conversation=self.conversation, ttl_ms=ttl_ms, basis=basis, **more)
        partition = self._keys.partition_of(self.conversation)
        self._staged.put_into(
            change, self._state_now(), partition=partition, user_is_there=self.user_is_there
        )
        return change

    def rebase(self, snapshot: Snapshot) -> bool:
        """
        Take *snapshot* as the new basis, if nothing that was read differs in it.

        False: what the handler decided rests on values that have changed, so it must run again.
        """
        return self.basis.move_to(snapshot)

    def current(self) -> "Within[UnitOfWork | None]":
        """Make the storage read from and stage in this unit of work, within the ``with`` block."""
        return Within(_current, self)


def unit_of_work_of(conversation: Conversation) -> UnitOfWork | None:
    """Return the open unit of work of *conversation* in this context, if there is one."""
    unit = _current.get()
    if unit is None or unit.closed or conversation not in (unit.conversation, unit.former):
        return None
    return unit


def conversation_of(key: StorageKey) -> Conversation:
    """Return what aiogram calls *key*; if this context's unit of work is on that, its conversation itself."""
    unit = _current.get()
    if unit is not None and (unit.key is key or unit.key == key):
        return unit.conversation
    return Conversation.from_storage_key(key)
