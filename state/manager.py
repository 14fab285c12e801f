"""One feature's view of a conversation: its own draft, and nothing of any other feature's."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from types import new_class
from typing import Any, ClassVar, Generic

from aiogram.fsm.context import FSMContext
from pydantic import BaseModel

from state.conversation import Conversation
from state.drafts import ABSENT, Drafts
from state.errors import DraftInvalid
from state.fields import DRAFT
from state.plain_drafts import PlainDrafts
from state.schema import AnyShape, DraftSchema, DraftT, FieldInvalid
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
    _shape: ClassVar[AnyShape] = AnyShape()

    def __class_getitem__(cls, model: Any) -> Any:
        """Return the class with *model* as the shape of its draft."""
        if isinstance(model, type):
            return _of_model(cls, model)
        return super().__class_getitem__(model)  # type: ignore[misc]  # typing.Generic has it at run time

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
    def shape(cls) -> AnyShape:
        """Return what the draft's fields are checked by."""
        return cls._shape

    @classmethod
    def migrate(cls, stored: dict[str, Any]) -> dict[str, Any]:
        """
        Return a draft of an older shape in today's shape; called on what was read, before it is checked.

        It also sees drafts that are of today's shape already. The first write stores what it returns.
        """
        return stored

    # Reading

    async def get_payload(self) -> dict[str, Any]:
        """
        Return the draft as a new dictionary; with a model, with its defaults for fields that are not there.

        Raises:
            DraftInvalid: a field does not fit the model. The others can still be read, one by one.
        """
        return self._read_all(await self._stored())

    async def draft(self) -> DraftT:
        """
        Return the draft as the model that the class names.

        Raises:
            DraftInvalid: it does not fit, or lacks a field.
            TypeError: the class names no model.
        """
        if not isinstance(self._shape, DraftSchema):
            raise TypeError(f"{type(self).__name__} names no model, as BaseStateManager[Model] would")
        stored = self.migrate(await self._stored())
        with self._naming_itself():
            whole: DraftT = self._shape.whole(stored)
            return whole

    async def get_value(self, key: str, default: Any = None) -> Any:
        """Return one field of the draft, a stored None too; *default* (or the model's) if it is not there."""
        if self._migrates:
            value = self.migrate(await self._stored()).get(key, ABSENT)
        else:
            value = await self._drafts.read_field(*self._place, key, ABSENT, self.expires_after)
        if value is not ABSENT:
            return self._read(key, value)
        return self._shape.default(key) if default is None else default

    # Writing

    async def update(self, /, **fields: Any) -> dict[str, Any]:
        """
        Set *fields*, leave the draft's other fields alone, and return the draft.

        Another field that does not fit the model is returned as it is stored.

        Raises:
            DraftInvalid: one of *fields* does not fit; nothing was set.
        """
        dumped = self._dump_all(fields)
        await self._reshape()
        stored = await self._drafts.update(*self._place, dumped, self.expires_after)
        return self._shape.read_all(stored, strict=False)

    async def save(self, draft: DraftT) -> None:
        """Set every field of the draft to what the model has."""
        await self._set({name: getattr(draft, name) for name in type(draft).model_fields})

    async def set_value(self, key: str, value: Any) -> None:
        """Set one field; *key* may be any text."""
        await self._set({key: value})

    async def delete(self, *keys: str) -> None:
        """Remove fields; absent ones are ignored."""
        await self._reshape()
        await self._drafts.delete(*self._place, keys)

    async def clear(self) -> None:
        """Remove the draft and nothing else."""
        await self._drafts.clear(*self._place)

    # Changing what is there, without losing what another one does at the same time

    async def increment(self, key: str, by: float | Decimal = 1) -> Any:
        """
        Add *by* to a number, an absent one being 0 or the model's default, and return the sum.

        Raises:
            DraftInvalid: the field holds something else, or the sum does not fit.
        """

        addend: Any = by

        def add(value: Any) -> Any:
            present: Any = 0 if value is None else value
            if isinstance(present, bool) or not isinstance(present, int | float | Decimal):
                raise self._invalid(key, f"is no number but {type(present).__name__}")
            return present + addend

        return await self._change(key, add)

    async def compare_and_set(self, key: str, expected: Any, value: Any) -> bool:
        """Set one field if `get_value` would return *expected*; tell whether it did."""

        def swap(present: Any) -> Any:
            return value if present == expected else ABSENT

        return await self._change(key, swap) is not ABSENT

    async def append(self, key: str, *items: Any) -> list[Any]:
        """
        Add *items* to the end of a list, an absent one being empty, and return it.

        Raises:
            DraftInvalid: the field holds something else, or an item does not fit.
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
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._invalid(key, f"is no list but {type(value).__name__}")
        return list(value)

    async def _change(self, key: str, compute: Callable[[Any], Any]) -> Any:
        def checked(stored: Any) -> Any:
            result = compute(self._shape.default(key) if stored is ABSENT else self._read(key, stored))
            return result if result is ABSENT else self._dump(key, result)

        await self._reshape()
        result = await self._drafts.change_field(*self._place, key, checked, self.expires_after)
        return result if result is ABSENT else self._read(key, result)

    async def _set(self, fields: Mapping[str, Any]) -> None:
        dumped = self._dump_all(fields)
        await self._reshape()
        await self._drafts.set(*self._place, dumped, self.expires_after)

    async def _stored(self) -> dict[str, Any]:
        return await self._drafts.read(*self._place, self.expires_after)

    async def _reshape(self) -> None:
        """Before a write, store a draft of an older shape in today's."""
        if self._migrates:
            await self._drafts.reshape(*self._place, self.migrate, self.expires_after)

    # The model

    def _read(self, key: str, value: Any) -> Any:
        with self._naming_itself():
            return self._shape.read(key, value)

    def _read_all(self, stored: dict[str, Any]) -> dict[str, Any]:
        with self._naming_itself():
            return self._shape.read_all(self.migrate(stored))

    def _dump(self, key: str, value: Any) -> Any:
        with self._naming_itself():
            return self._shape.dump(key, value)

    def _dump_all(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._dump(key, value) for key, value in fields.items()}

    @contextmanager
    def _naming_itself(self) -> Iterator[None]:
        try:
            yield
        except FieldInvalid as error:
            raise self._invalid(error.field, error.reason) from None

    def _invalid(self, key: str, reason: str) -> DraftInvalid:
        return DraftInvalid(self._feature, key, self._conversation.encode(), reason)

    @property
    def _migrates(self) -> bool:
        return type(self).migrate.__func__ is not BaseStateManager.migrate.__func__  # type: ignore[attr-defined]  # a classmethod's function

    @property
    def _drafts(self) -> Drafts | PlainDrafts:
        storage = self.state.storage
        return storage.drafts if isinstance(storage, ConversationStorage) else PlainDrafts(self.state)

    @property
    def _place(self) -> tuple[Conversation, str]:
        return self._conversation, self._feature

    @property
    def _conversation(self) -> Conversation:
        return Conversation.from_storage_key(self.state.key)


_of_models: dict[tuple[type, type], type] = {}


def _of_model(manager: type, model: type[BaseModel]) -> type:
    if (manager, model) not in _of_models:
        name = f"{manager.__name__}[{model.__name__}]"
        members = {"_shape": DraftSchema(model), "__module__": manager.__module__}
        _of_models[manager, model] = new_class(name, (manager,), exec_body=lambda body: body.update(members))
    return _of_models[manager, model]
