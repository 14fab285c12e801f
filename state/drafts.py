"""Features' drafts in Redis, field by field."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from state import fields, values
from state.contention import stand_back
from state.conversation import Conversation
from state.scripts import Committed, DraftChange
from state.snapshot import Fields, Needs, pairs
from state.unit_of_work import unit_of_work_of

if TYPE_CHECKING:
    from state.storage import ConversationStorage

#: What a field holds that is not there.
ABSENT: Any = object()


class Drafts:
    """
    Reads and writes one draft at the cost of that draft alone, whatever else the conversation holds.

    *expires_after* of each method is how long the draft lives after this use, None: the storage's setting.
    """

    def __init__(self, storage: "ConversationStorage", expires_after: timedelta | None) -> None:
        self._storage = storage
        self._expires_after = expires_after
        self._changing: WeakValueDictionary[tuple[Conversation, str], asyncio.Lock] = WeakValueDictionary()

    def ttl_ms(self, expires_after: timedelta | None = None) -> int | None:
        """Return how long a draft lives after a use; None: as long as its conversation."""
        chosen = expires_after if expires_after is not None else self._expires_after
        return int(chosen.total_seconds() * 1000) if chosen is not None else None

    async def read(
        self, conversation: Conversation, feature: str, expires_after: timedelta | None = None
    ) -> dict[str, Any]:
        """Return one draft; empty if there is none."""
        ttl_ms = self.ttl_ms(expires_after)
        if unit := unit_of_work_of(conversation):
            await self._storage.complete(unit, unit.basis.missing_draft(feature))
            if ttl_ms is not None:
                unit.touch_draft(feature, ttl_ms)
            return unit.draft(feature)
        return _draft(await self._storage.reading.draft(conversation, fields.quote_feature(feature), ttl_ms))

    async def read_field(
        self,
        conversation: Conversation,
        feature: str,
        name: str,
        default: Any = None,
        expires_after: timedelta | None = None,
    ) -> Any:
        """Return one field of a draft, a stored None too; *default* if there is none."""
        field, ttl_ms = fields.draft_field(feature, name), self.ttl_ms(expires_after)
        if unit := unit_of_work_of(conversation):
            if unit.basis.missing_draft(feature):
                await self._storage.complete(unit, unit.basis.missing_fields(field, _deadline(feature)))
            if ttl_ms is not None:
                unit.touch_draft(feature, ttl_ms)
            return unit.draft_value(feature, name, default)
        stored = await self._raw(conversation, feature, field, ttl_ms)
        return values.load(stored) if stored is not None else default

    async def update(
        self,
        conversation: Conversation,
        feature: str,
        items: Mapping[str, Any],
        expires_after: timedelta | None = None,
    ) -> dict[str, Any]:
        """Set fields of one draft, leave its other fields alone, and return the draft."""
        if unit := unit_of_work_of(conversation):
            unit.set_draft(feature, items, self.ttl_ms(expires_after))
            await self._storage.complete(unit, unit.basis.missing_draft(feature))
            return unit.draft(feature)
        change = self._set(items, expires_after)
        quoted = fields.quote_feature(feature)
        answer = await self._storage.write(conversation, drafts={quoted: change}, want_draft=quoted)
        return _draft(pairs(answer.wanted))

    async def set(
        self,
        conversation: Conversation,
        feature: str,
        items: Mapping[str, Any],
        expires_after: timedelta | None = None,
    ) -> None:
        """Set fields of one draft without looking at the draft."""
        if unit := unit_of_work_of(conversation):
            unit.set_draft(feature, items, self.ttl_ms(expires_after))
            return
        await self._write(conversation, feature, self._set(items, expires_after))

    async def delete(self, conversation: Conversation, feature: str, names: Sequence[str]) -> None:
        """Remove fields of one draft; absent ones are ignored."""
        if unit := unit_of_work_of(conversation):
            unit.delete_from_draft(feature, *names)
            return
        await self._write(conversation, feature, DraftChange(delete=names))

    async def clear(self, conversation: Conversation, feature: str) -> None:
        """Remove one draft and nothing else."""
        if unit := unit_of_work_of(conversation):
            unit.clear_draft(feature)
            return
        await self._write(conversation, feature, DraftChange(clear=True))

    async def change_field(
        self,
        conversation: Conversation,
        feature: str,
        name: str,
        compute: Callable[[Any], Any],
        expires_after: timedelta | None = None,
    ) -> Any:
        """
        Set one field to what *compute* makes of it, or of `ABSENT`, without losing a concurrent change.

        It may be called several times, until nobody came between. Returning `ABSENT` leaves the field alone.
        Returns what *compute* returned.
        """
        field = fields.draft_field(feature, name)
        if unit_of_work_of(conversation):
            result = compute(await self.read_field(conversation, feature, name, ABSENT, expires_after))
            if result is not ABSENT:
                await self.set(conversation, feature, {name: result}, expires_after)
            return result
        # Within one process they go one by one: only other processes can come between.
        async with self._changing.setdefault((conversation, field), asyncio.Lock()):
            return await self._swap(conversation, feature, name, compute, expires_after)

    async def _swap(
        self,
        conversation: Conversation,
        feature: str,
        name: str,
        compute: Callable[[Any], Any],
        expires_after: timedelta | None,
    ) -> Any:
        field = fields.draft_field(feature, name)
        tries = 0
        while True:
            await stand_back(tries)
            tries += 1
            stored = await self._raw(conversation, feature, field)
            result = compute(values.load(stored) if stored is not None else ABSENT)
            if result is ABSENT:
                return result
            answer = await self._storage.write(
                conversation,
                drafts={fields.quote_feature(feature): self._set({name: result}, expires_after)},
                when={field: stored},
                once=secrets.token_hex(8),
            )
            if answer.outcome is not Committed.CONFLICT:
                return result

    async def reshape(
        self,
        conversation: Conversation,
        feature: str,
        migrate: Callable[[dict[str, Any]], dict[str, Any]],
        expires_after: timedelta | None = None,
    ) -> None:
        """Store a draft as *migrate* returns it; whoever changes it meanwhile has the draft migrated anew."""
        quoted = fields.quote_feature(feature)
        if unit := unit_of_work_of(conversation):
            before = await self.read(conversation, feature, expires_after)
            after = migrate(deepcopy(before))
            if after != before:
                unit.set_draft(feature, _differing(before, after), self.ttl_ms(expires_after))
                unit.delete_from_draft(feature, *(before.keys() - after.keys()))
            return
        outcome = Committed.CONFLICT
        while outcome is Committed.CONFLICT:
            stored = await self._storage.reading.draft(conversation, quoted)
            before = _draft(stored)
            after = migrate(deepcopy(before))
            if after == before:
                return
            change = replace(
                self._set(_differing(before, after), expires_after), delete=[*(before.keys() - after.keys())]
            )
            when = {fields.draft_field(feature, name.decode()): raw for name, raw in stored.items()}
            answer = await self._storage.write(conversation, drafts={quoted: change}, when=when)
            outcome = answer.outcome

    async def _raw(
        self, conversation: Conversation, feature: str, field: str, ttl_ms: int | None = None
    ) -> bytes | None:
        keep = {}
        if ttl_ms is not None:
            keep[fields.quote_feature(feature)] = ttl_ms
        else:
            stored, deadline = await self._storage.reading.fields(conversation, field, _deadline(feature))
            if deadline is None:
                return stored
        # Redis's own clock decides whether the deadline is over.
        needs = Needs(fields=[field, _deadline(feature)], keep=keep)
        read = await self._storage.reading.read(conversation, needs)
        return read.fields.get(field.encode())

    async def _write(self, conversation: Conversation, feature: str, change: DraftChange) -> None:
        await self._storage.write(conversation, drafts={fields.quote_feature(feature): change})

    def _set(self, items: Mapping[str, Any], expires_after: timedelta | None) -> DraftChange:
        dumped = {name: values.dump(item) for name, item in items.items()}
        return DraftChange(set=dumped, ttl_ms=self.ttl_ms(expires_after))


def _deadline(feature: str) -> str:
    return f"e:{fields.quote_feature(feature)}"


def _draft(stored: Fields) -> dict[str, Any]:
    return {name.decode(): values.load(value) for name, value in stored.items()}


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in after.items() if before.get(name, ABSENT) != value}
