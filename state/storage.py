"""aiogram's storage over one Redis hash a conversation, atomic for each field."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

from aiogram.exceptions import DataNotDictLikeError
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseEventIsolation, BaseStorage, StateType, StorageKey
from redis.asyncio import Redis

from state import fields, values
from state.connection import open_client
from state.conversation import Conversation
from state.drafts import Drafts
from state.errors import TurnLost
from state.grouping import GroupedCalls
from state.isolation import ConversationIsolation, turn_of
from state.keys import Keys
from state.migrations import Migrations
from state.reading import Reading
from state.scripts import Change, CommitAnswer, Committed, Scripts
from state.snapshot import Needs, Snapshot, pairs, unexpired
from state.turns import Turns
from state.unit_of_work import UnitOfWork, conversation_of, unit_of_work_of


class ConversationStorage(BaseStorage):
    """
    States, data and drafts of conversations, as aiogram's ``Dispatcher(storage=...)`` takes them.

    Inside a handler that the gateway runs, it reads from and stages in the handler's unit of work. Anywhere
    else each write is one script that touches only the fields it names, so concurrent writers of different
    fields never undo each other.

    *expires_after* is since the last write or handled event; *draft_expires_after* is the same for each draft
    whose manager has no expiry of its own, None: with the conversation. With *clear_keeps_drafts*, an empty
    ``set_data({})``, which is what aiogram's ``state.clear()`` does, leaves the features' drafts alone.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        keys: Keys | None = None,
        expires_after: timedelta = timedelta(days=180),
        draft_expires_after: timedelta | None = None,
        clear_keeps_drafts: bool = False,
        scripts: Scripts | None = None,
    ) -> None:
        self._redis = redis
        self._scripts = scripts or Scripts(GroupedCalls(redis), keys or Keys())
        self._ttl_ms = int(expires_after.total_seconds() * 1000)
        self._clear_keeps_drafts = clear_keeps_drafts
        self.reading = Reading(self._scripts.calls, self._scripts.keys)
        self.drafts = Drafts(self, draft_expires_after)
        self.migrations = Migrations(self._scripts, remember_for=expires_after)

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:
        """Return a storage of its own connection to the Redis at *url*; `close` closes it."""
        return cls(open_client(url), **options)

    # aiogram's contract

    def create_isolation(self, *, lasts: timedelta = timedelta(seconds=10)) -> BaseEventIsolation:
        """
        Return an isolation of events for ``Dispatcher(events_isolation=...)``.

        First come, first served, over all processes. A turn is renewed while it lasts; *lasts* is how long
        that of a process that has died blocks the others. What a holder writes after its turn is refused.
        """
        return ConversationIsolation(self._redis, Turns(self._scripts.calls, self._scripts.keys), lasts)

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Set the state of *key*; None removes it. What garbage the old state had is deleted."""
        name = state.state if isinstance(state, State) else state
        conversation = conversation_of(key)
        if unit := unit_of_work_of(conversation):
            unit.set_state(name)
        else:
            await self.write(conversation, state=name if name is not None else False)

    async def get_state(self, key: StorageKey) -> str | None:
        """Return the state of *key*."""
        conversation = conversation_of(key)
        if unit := unit_of_work_of(conversation):
            return unit.state
        stored = await self._get(conversation, "s")
        return stored.decode() if stored is not None else None

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """
        Replace all data of *key*, drafts included (see *clear_keeps_drafts*).

        Raises:
            DataNotDictLikeError: *data* is no mapping.
        """
        if not isinstance(data, Mapping):
            raise DataNotDictLikeError(f"Data must be a dict or dict-like object, got {type(data).__name__}")
        conversation = conversation_of(key)
        keeps_drafts = self._clear_keeps_drafts and not data
        if unit := unit_of_work_of(conversation):
            if keeps_drafts:
                unit.clear_data()
            else:
                unit.set_data(data, self.drafts.ttl_ms())
            return
        plain, drafts = fields.split(data, self.drafts.ttl_ms())
        await self.write(conversation, replace="data" if keeps_drafts else "all", set=plain, drafts=drafts)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """Return all data of *key*, each draft under ``draft:<feature>``."""
        conversation = conversation_of(key)
        if unit := unit_of_work_of(conversation):
            return (await self._whole(unit)).data()
        return fields.read_data((await self.reading.read(conversation)).fields)

    async def get_value(self, storage_key: StorageKey, dict_key: str, default: Any = None) -> Any:
        """Return one value of the data of *storage_key*, at the cost of that value alone."""
        conversation = conversation_of(storage_key)
        if dict_key.startswith(fields.DRAFT):
            feature = dict_key.removeprefix(fields.DRAFT)
            if draft := await self.drafts.read(conversation, feature):
                return draft
        if unit := unit_of_work_of(conversation):
            await self.complete(unit, unit.basis.missing_fields(fields.data_field(dict_key)))
            return unit.value(dict_key, default)
        stored = await self._get(conversation, fields.data_field(dict_key))
        return values.load(stored) if stored is not None else default

    async def update_data(self, key: StorageKey, data: Mapping[str, Any]) -> dict[str, Any]:
        """Set the keys of *data*, leave all others alone, and return all data."""
        conversation = conversation_of(key)
        if unit := unit_of_work_of(conversation):
            unit.update_data(data, self.drafts.ttl_ms())
            return (await self._whole(unit)).data()
        plain, drafts = fields.split(data, self.drafts.ttl_ms())
        answer = await self.write(conversation, set=plain, drafts=drafts, want="data")
        return fields.read_data(unexpired(pairs(answer.wanted), answer.now_ms))

    async def close(self) -> None:
        """Close the connection."""
        await self._scripts.calls.aclose()
        await self._redis.aclose()

    # Units of work from outside of any handler

    async def unit_of_work(self, conversation: Conversation) -> UnitOfWork:
        """Return a unit of work on *conversation* as it is now."""
        return UnitOfWork(conversation, await self.reading.begin(conversation), self._scripts.keys)

    async def read_again(self, unit: UnitOfWork) -> Snapshot:
        """Return what *unit* has read, as it is now."""
        return await self.reading.read(unit.conversation, unit.basis.needs())

    async def commit(self, unit: UnitOfWork) -> CommitAnswer:
        """Make the changes of *unit* if its basis still holds, from outside of the worker."""
        change = unit.change(ttl_ms=self._ttl_ms, basis=unit.revision, once=secrets.token_hex(8))
        return await self._scripts.commit(change)

    async def append(self, unit: UnitOfWork) -> CommitAnswer:
        """Make the changes of *unit*, which rest on nothing that it has read."""
        change = unit.change(ttl_ms=self._ttl_ms, basis=None, once=secrets.token_hex(8))
        return await self._scripts.commit(change)

    async def told(self, conversation: Conversation, ticket: str) -> bytes | None:
        """Return what became of the effect with this ticket; None: not known yet, or forgotten."""
        told: bytes | None = await self._scripts.calls.command(
            "GET", self._scripts.keys.told(conversation, ticket)
        )
        return told

    async def write(self, conversation: Conversation, **members: Any) -> CommitAnswer:
        """
        Make one change, of `Change`'s *members*, at once.

        Raises:
            TurnLost: the writer works under an isolation, and its turn was given to somebody else.
        """
        turn = turn_of(conversation)
        change = Change(conversation=conversation, ttl_ms=self._ttl_ms, turn=turn, **members)
        answer = await self._scripts.commit(change)
        if answer.outcome is Committed.FENCED:
            raise TurnLost(conversation.encode())
        return answer

    async def complete(self, unit: UnitOfWork, needs: Needs | None) -> None:
        """Read what *unit* lacks."""
        if needs is not None:
            quoted = Needs([fields.quote_feature(feature) for feature in needs.features], needs.fields)
            unit.basis.take(await self.reading.read(unit.conversation, quoted), needs)

    async def _whole(self, unit: UnitOfWork) -> UnitOfWork:
        if not unit.basis.whole:
            unit.basis.take(await self.reading.read(unit.conversation), Needs())
        return unit

    async def _get(self, conversation: Conversation, name: str) -> bytes | None:
        stored: bytes | None = await self._scripts.calls.command(
            "HGET", self._scripts.keys.conversation(conversation), name
        )
        return stored
