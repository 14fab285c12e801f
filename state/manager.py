"""One feature's view of a conversation: its own draft, and nothing of any other feature's."""

from typing import Any, ClassVar

from aiogram.fsm.context import FSMContext

from state.conversation import Conversation
from state.fields import DRAFT
from state.storage import ConversationStorage


class BaseStateManager:
    """
    Reads and writes ``draft:<feature_key>`` of one conversation.

    Name the feature in the class, or pass it to ``__init__``::

        class BookingStateManager(BaseStateManager):
            feature_key = "booking"

            async def save_hotel(self, hotel_id: int) -> None:
                await self.update(hotel_id=hotel_id)

    On the gateway's own storage every write touches only the fields that it names. On any other storage of
    aiogram's it reads and writes the whole data, as that storage does.
    """

    feature_key: ClassVar[str] = ""

    def __init__(self, state: FSMContext, feature_key: str | None = None) -> None:
        self.state = state
        self._feature = feature_key or type(self).feature_key
        if not self._feature:
            raise TypeError(f"{type(self).__name__} needs a feature_key, as a class attribute or an argument")

    @property
    def storage_key(self) -> str:
        """The key under which the draft shows in the FSM data."""
        return DRAFT + self._feature

    async def get_payload(self) -> dict[str, Any]:
        """Return the draft as a new dictionary; empty if there is none."""
        if storage := self._storage:
            return await storage.get_draft(self._conversation, self._feature)
        payload = (await self.state.get_data()).get(self.storage_key)
        return dict(payload) if isinstance(payload, dict) else {}

    async def get_value(self, key: str, default: Any = None) -> Any:
        """Return one field of the draft."""
        if storage := self._storage:
            value = await storage.get_draft_value(self._conversation, self._feature, key)
            return default if value is None else value
        return (await self.get_payload()).get(key, default)

    async def update(self, /, **fields: Any) -> dict[str, Any]:
        """Set *fields*, leave the draft's other fields alone, and return the draft."""
        return await self._set(fields)

    async def set_value(self, key: str, value: Any) -> None:
        """Set one field; *key* may be any text."""
        if storage := self._storage:
            await storage.set_draft_values(self._conversation, self._feature, {key: value})
            return
        await self._set({key: value})

    async def delete(self, *keys: str) -> None:
        """Remove fields; absent ones are ignored."""
        if storage := self._storage:
            await storage.delete_from_draft(self._conversation, self._feature, *keys)
            return
        payload = await self.get_payload()
        await self._replace({key: value for key, value in payload.items() if key not in keys})

    async def clear(self) -> None:
        """Remove the draft and nothing else."""
        if storage := self._storage:
            await storage.clear_draft(self._conversation, self._feature)
            return
        await self._replace({})

    async def _set(self, fields: dict[str, Any]) -> dict[str, Any]:
        if storage := self._storage:
            return await storage.update_draft(self._conversation, self._feature, fields)
        payload = await self.get_payload() | fields
        await self._replace(payload)
        return payload

    async def _replace(self, payload: dict[str, Any]) -> None:
        data = await self.state.get_data()
        data.pop(self.storage_key, None)
        await self.state.set_data(data | ({self.storage_key: payload} if payload else {}))

    @property
    def _storage(self) -> ConversationStorage | None:
        return self.state.storage if isinstance(self.state.storage, ConversationStorage) else None

    @property
    def _conversation(self) -> Conversation:
        return Conversation.from_storage_key(self.state.key)
