"""One feature's view of a conversation: its own draft, and nothing of any other feature's."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Generic, get_args

from aiogram.fsm.context import FSMContext
from pydantic import BaseModel

from state.conversation import Conversation
from state.drafts import ABSENT, Drafts
from state.errors import DraftInvalid
from state.fields import DRAFT
from state.schema import DraftSchema, DraftT, FieldInvalid
from state.storage import ConversationStorage


class BaseStateManager(Generic[DraftT]):
    """
    Reads and writes ``draft:<feature_key>`` of one conversation.

    Name the feature in the class, or pass it to ``__init__``::

        class BookingStateManager(BaseStateManager):
            feature_key = "booking"

            async def save_hotel(self, hotel_id: int) -> None:
                await self.update(hotel_id=hotel_id)

    ``BaseStateManager[BookingDraft]``, with a pydantic model, checks what is read and written, field by
    field, and raises `DraftInvalid` for what does not fit.

    On the gateway's own storage every write touches only the fields that it names. On any other storage of
    aiogram's it reads and writes the whole data, as that storage does, and there is no expiry.
    """

    feature_key: ClassVar[str] = ""
    expires_after: ClassVar[timedelta | None] = None
    """How long the draft lives after its last use; None: the storage's setting."""
    _schema: ClassVar[DraftSchema[Any] | None] = None

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        for base in cls.__dict__.get("__orig_bases__", ()):
            for model in get_args(base):
                if isinstance(model, type) and issubclass(model, BaseModel):
                    cls._schema = DraftSchema(model)

    def __init__(self, state: FSMContext, feature_key: str | None = None) -> None:
        self.state = state
        self._feature = feature_key or type(self).feature_key
        if not self._feature:
            raise TypeError(f"{type(self).__name__} needs a feature_key, as a class attribute or an argument")

    @property
    def storage_key(self) -> str:
        """The key under which the draft shows in the FSM data."""
        return DRAFT + self._feature

    @classmethod
    def migrate(cls, stored: dict[str, Any]) -> dict[str, Any]:
        """
        Return a draft of an older shape in today's shape; called on what was read, before it is checked.

        It also sees drafts that are of today's shape already, and those where both are mixed.
        """
        return stored

    # Reading

    async def get_payload(self) -> dict[str, Any]:
        """Return the draft as a new dictionary, with the model's defaults; empty if there is none."""
        return self._read_all(await self._stored())

    async def draft(self) -> DraftT:
        """
        Return the draft as the model that the class names.

        Raises:
            DraftInvalid: it does not fit, or lacks a field.
            TypeError: the class names no model.
        """
        if self._schema is None:
            raise TypeError(f"{type(self).__name__} names no model, as BaseStateManager[Model] would")
        stored = self.migrate(await self._stored())
        try:
            whole: DraftT = self._schema.whole(stored)
        except FieldInvalid as error:
            raise self._invalid(error.field, error.reason) from None
        return whole

    async def get_value(self, key: str, default: Any = None) -> Any:
        """Return one field of the draft, a stored None too; *default* (or the model's) if it is not there."""
        if self._migrates or (drafts := self._drafts) is None:
            value = self.migrate(await self._stored()).get(key, ABSENT)
        else:
            value = await drafts.read_field(self._conversation, self._feature, key, ABSENT)
        if value is not ABSENT:
            return self._read(key, value)
        return self._schema.default(key, default) if self._schema and default is None else default

    # Writing

    async def update(self, /, **fields: Any) -> dict[str, Any]:
        """Set *fields*, leave the draft's other fields alone, and return the draft."""
        stored = self._dump_all(fields)
        if drafts := self._drafts:
            return self._read_all(
                await drafts.update(self._conversation, self._feature, stored, self.expires_after)
            )
        payload = await self._stored() | stored
        await self._replace(payload)
        return self._read_all(payload)

    async def save(self, draft: DraftT) -> None:
        """Set every field of the draft to what the model has."""
        await self._set({name: getattr(draft, name) for name in type(draft).model_fields})

    async def set_value(self, key: str, value: Any) -> None:
        """Set one field; *key* may be any text."""
        await self._set({key: value})

    async def delete(self, *keys: str) -> None:
        """Remove fields; absent ones are ignored."""
        if drafts := self._drafts:
            await drafts.delete(self._conversation, self._feature, keys)
            return
        payload = await self._stored()
        await self._replace({key: value for key, value in payload.items() if key not in keys})

    async def clear(self) -> None:
        """Remove the draft and nothing else."""
        if drafts := self._drafts:
            await drafts.clear(self._conversation, self._feature)
            return
        await self._replace({})

    # Changing what is there, without losing what another one does at the same time

    async def increment(self, key: str, by: float = 1) -> Any:
        """
        Add *by* to a number, an absent one being 0, and return the sum.

        Raises:
            DraftInvalid: the field holds something else.
        """

        def add(value: Any) -> Any:
            if value is ABSENT or value is None:
                value = 0
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise self._invalid(key, f"is no number but {type(value).__name__}")
            return value + by

        return await self._change(key, add)

    async def compare_and_set(self, key: str, expected: Any, value: Any) -> bool:
        """Set one field if it holds *expected*, None meaning also that it is absent; tell whether it did."""

        def swap(present: Any) -> Any:
            return value if (None if present is ABSENT else present) == expected else ABSENT

        return await self._change(key, swap) is not ABSENT

    async def append(self, key: str, *items: Any) -> list[Any]:
        """
        Add *items* to the end of a list, an absent one being empty, and return it.

        Raises:
            DraftInvalid: the field holds something else.
        """
        changed: list[Any] = await self._change(key, lambda value: [*self._list(key, value), *items])
        return changed

    async def remove(self, key: str, *items: Any) -> list[Any]:
        """
        Take the first of each of *items* out of a list, and return what is left; absent ones are ignored.

        Raises:
            DraftInvalid: the field holds something else.
        """

        def without(value: Any) -> list[Any]:
            left = self._list(key, value)
            for item in items:
                if item in left:
                    left.remove(item)
            return left

        changed: list[Any] = await self._change(key, without)
        return changed

    def _list(self, key: str, value: Any) -> list[Any]:
        if value is ABSENT or value is None:
            return []
        if not isinstance(value, list):
            raise self._invalid(key, f"is no list but {type(value).__name__}")
        return list(value)

    async def _change(self, key: str, compute: Callable[[Any], Any]) -> Any:
        def checked(value: Any) -> Any:
            result = compute(value)
            return result if result is ABSENT else self._dump(key, result)

        if drafts := self._drafts:
            return await drafts.change_field(
                self._conversation, self._feature, key, checked, self.expires_after
            )
        result = checked((await self._stored()).get(key, ABSENT))
        if result is not ABSENT:
            await self._replace(await self._stored() | {key: result})
        return result

    async def _set(self, fields: Mapping[str, Any]) -> None:
        stored = self._dump_all(fields)
        if drafts := self._drafts:
            await drafts.set(self._conversation, self._feature, stored, self.expires_after)
            return
        await self._replace(await self._stored() | stored)

    async def _stored(self) -> dict[str, Any]:
        if drafts := self._drafts:
            return await drafts.read(self._conversation, self._feature, self.expires_after)
        payload = (await self.state.get_data()).get(self.storage_key)
        return dict(payload) if isinstance(payload, dict) else {}

    async def _replace(self, payload: dict[str, Any]) -> None:
        data = await self.state.get_data()
        data.pop(self.storage_key, None)
        await self.state.set_data(data | ({self.storage_key: payload} if payload else {}))

    # The model

    def _read(self, key: str, value: Any) -> Any:
        if self._schema is None:
            return value
        try:
            return self._schema.read(key, value)
        except FieldInvalid as error:
            raise self._invalid(key, error.reason) from None

    def _read_all(self, stored: dict[str, Any]) -> dict[str, Any]:
        if self._schema is None:
            return self.migrate(stored)
        read = {key: self._read(key, value) for key, value in self.migrate(stored).items()}
        return self._schema.with_defaults(read)

    def _dump(self, key: str, value: Any) -> Any:
        if self._schema is None:
            return value
        try:
            return self._schema.dump(key, value)
        except FieldInvalid as error:
            raise self._invalid(key, error.reason) from None

    def _dump_all(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._dump(key, value) for key, value in fields.items()}

    def _invalid(self, key: str, reason: str) -> DraftInvalid:
        return DraftInvalid(self._feature, key, self._conversation.encode(), reason)

    @property
    def _migrates(self) -> bool:
        return type(self).migrate.__func__ is not BaseStateManager.migrate.__func__  # type: ignore[attr-defined]  # a classmethod's function

    @property
    def _drafts(self) -> Drafts | None:
        storage = self.state.storage
        return storage.drafts if isinstance(storage, ConversationStorage) else None

    @property
    def _conversation(self) -> Conversation:
        return Conversation.from_storage_key(self.state.key)
