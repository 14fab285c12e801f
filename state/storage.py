"""aiogram's storage over one Redis hash a conversation, atomic for each field."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey
from redis.asyncio import Redis

from state import fields, values
from state.connection import open_client
from state.conversation import Conversation
from state.grouping import GroupedCalls
from state.keys import Keys
from state.scripts import Change, CommitAnswer, DraftChange, Fields, Scripts, pairs
from state.unit_of_work import UnitOfWork, unit_of_work_of


class ConversationStorage(BaseStorage):
    """
    States, data and drafts of conversations, as aiogram's ``Dispatcher(storage=...)`` takes them.

    Inside a handler that the gateway runs, it reads from and stages in the handler's unit of work. Anywhere
    else each write is one script that touches only the fields it names, so concurrent writers of different
    fields never undo each other.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        keys: Keys | None = None,
        expires_after: timedelta = timedelta(days=180),
        scripts: Scripts | None = None,
    ) -> None:
        self._redis = redis
        self._scripts = scripts or Scripts(GroupedCalls(redis), keys or Keys())
        self._ttl_ms = int(expires_after.total_seconds() * 1000)

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:
        """Return a storage of its own connection to the Redis at *url*; `close` closes it."""
        return cls(open_client(url), **options)

    # aiogram's contract

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Set the state of *key*; None removes it. What garbage the old state had is deleted."""
        name = state.state if isinstance(state, State) else state
        conversation = Conversation.from_storage_key(key)
        if unit := unit_of_work_of(conversation):
            unit.set_state(name)
        else:
            await self._commit(conversation, state=name if name is not None else False)

    async def get_state(self, key: StorageKey) -> str | None:
        """Return the state of *key*."""
        conversation = Conversation.from_storage_key(key)
        if unit := unit_of_work_of(conversation):
            return unit.state
        stored = await self._get(conversation, "s")
        return stored.decode() if stored is not None else None

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """Replace all data of *key*, drafts included."""
        conversation = Conversation.from_storage_key(key)
        if unit := unit_of_work_of(conversation):
            unit.set_data(data)
            return
        plain, drafts = fields.split(data)
        await self._commit(conversation, replace=True, set=plain, drafts=drafts)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """Return all data of *key*, each draft under ``draft:<feature>``."""
        conversation = Conversation.from_storage_key(key)
        if unit := unit_of_work_of(conversation):
            return unit.data()
        return fields.read_data(await self.fields(conversation))

    async def get_value(self, storage_key: StorageKey, dict_key: str, default: Any = None) -> Any:
        """Return one value of the data of *storage_key*, at the cost of that value alone."""
        conversation = Conversation.from_storage_key(storage_key)
        if unit := unit_of_work_of(conversation):
            value = unit.value(dict_key)
            return default if value is None else value
        if dict_key.startswith(fields.DRAFT):
            draft = await self.get_draft(conversation, dict_key.removeprefix(fields.DRAFT))
            if draft:
                return draft
        stored = await self._get(conversation, fields.data_field(dict_key))
        return values.load(stored) if stored is not None else default

    async def update_data(self, key: StorageKey, data: Mapping[str, Any]) -> dict[str, Any]:
        """Set the keys of *data*, leave all others alone, and return all data."""
        conversation = Conversation.from_storage_key(key)
        if unit := unit_of_work_of(conversation):
            unit.update_data(data)
            return unit.data()
        plain, drafts = fields.split(data)
        answer = await self._commit(conversation, set=plain, drafts=drafts, want="data")
        return fields.read_data(pairs(answer.wanted))

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()

    # Drafts, field by field

    async def get_draft(self, conversation: Conversation, feature: str) -> dict[str, Any]:
        """Return one feature's draft, at the cost of that draft alone."""
        if unit := unit_of_work_of(conversation):
            return unit.draft(feature)
        stored = await self._scripts.draft(conversation, fields.quote_feature(feature))
        return _draft(stored)

    async def get_draft_value(self, conversation: Conversation, feature: str, name: str) -> Any:
        """Return one field of a draft; None if there is none."""
        if unit := unit_of_work_of(conversation):
            return unit.draft_value(feature, name)
        stored = await self._get(conversation, fields.draft_field(feature, name))
        return values.load(stored) if stored is not None else None

    async def update_draft(
        self, conversation: Conversation, feature: str, items: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Set fields of one draft, leave its other fields alone, and return the draft."""
        if unit := unit_of_work_of(conversation):
            unit.set_draft(feature, items)
            return unit.draft(feature)
        change = DraftChange(set={name: values.dump(item) for name, item in items.items()})
        return await self._change_draft(conversation, feature, change)

    async def set_draft_values(
        self, conversation: Conversation, feature: str, items: Mapping[str, Any]
    ) -> None:
        """Set fields of one draft without looking at the draft."""
        if unit := unit_of_work_of(conversation):
            unit.set_draft(feature, items)
            return
        change = DraftChange(set={name: values.dump(item) for name, item in items.items()})
        await self._commit(conversation, drafts={fields.quote_feature(feature): change})

    async def delete_from_draft(
        self, conversation: Conversation, feature: str, *names: str
    ) -> dict[str, Any]:
        """Remove fields of one draft and return what is left of it."""
        if unit := unit_of_work_of(conversation):
            unit.delete_from_draft(feature, *names)
            return unit.draft(feature)
        return await self._change_draft(conversation, feature, DraftChange(delete=names))

    async def clear_draft(self, conversation: Conversation, feature: str) -> None:
        """Remove one draft and nothing else."""
        if unit := unit_of_work_of(conversation):
            unit.clear_draft(feature)
            return
        await self._change_draft(conversation, feature, DraftChange(clear=True))

    async def _change_draft(
        self, conversation: Conversation, feature: str, change: DraftChange
    ) -> dict[str, Any]:
        quoted = fields.quote_feature(feature)
        answer = await self._commit(conversation, drafts={quoted: change}, want_draft=quoted)
        return _draft(pairs(answer.wanted))

    # Units of work from outside of any handler

    async def fields(self, conversation: Conversation) -> Fields:
        """Return the whole conversation as stored."""
        key = self._scripts.keys.conversation(conversation)
        return pairs(await self._scripts.calls.command("HGETALL", key))

    async def unit_of_work(self, conversation: Conversation) -> UnitOfWork:
        """Return a unit of work on *conversation* as it is now."""
        return UnitOfWork(conversation, await self.fields(conversation), self._scripts.keys)

    async def commit(self, unit: UnitOfWork) -> CommitAnswer:
        """Make the changes of *unit* if its basis still holds, from outside of the worker."""
        return await self._scripts.commit(unit.change(ttl_ms=self._ttl_ms, basis=unit.revision))

    async def append(self, unit: UnitOfWork) -> CommitAnswer:
        """Make the changes of *unit*, which rest on nothing that it has read."""
        return await self._scripts.commit(unit.change(ttl_ms=self._ttl_ms, basis=None))

    async def _commit(self, conversation: Conversation, **members: Any) -> CommitAnswer:
        return await self._scripts.commit(Change(conversation=conversation, ttl_ms=self._ttl_ms, **members))

    async def _get(self, conversation: Conversation, name: str) -> bytes | None:
        stored: bytes | None = await self._scripts.calls.command(
            "HGET", self._scripts.keys.conversation(conversation), name
        )
        return stored


def _draft(stored: Fields) -> dict[str, Any]:
    return {name.decode(): values.load(value) for name, value in stored.items()}
