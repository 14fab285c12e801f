"""Features' drafts on any other storage of aiogram's, in its one dictionary of data."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from aiogram.fsm.context import FSMContext

from state.conversation import Conversation
from state.drafts import ABSENT
from state.fields import DRAFT


class PlainDrafts:
    """The methods of `Drafts`, with the guarantees of the other storage: none against a concurrent writer."""

    def __init__(self, state: FSMContext) -> None:
        self._state = state

    async def read(
        self, conversation: Conversation, feature: str, expires_after: timedelta | None = None
    ) -> dict[str, Any]:
        """Return one draft; empty if there is none."""
        del conversation, expires_after
        draft = (await self._state.get_data()).get(DRAFT + feature)
        return dict(draft) if isinstance(draft, dict) else {}

    async def read_field(
        self,
        conversation: Conversation,
        feature: str,
        name: str,
        default: Any = None,
        expires_after: timedelta | None = None,
    ) -> Any:
        """Return one field of a draft, a stored None too; *default* if there is none."""
        return (await self.read(conversation, feature, expires_after)).get(name, default)

    async def update(
        self,
        conversation: Conversation,
        feature: str,
        items: Mapping[str, Any],
        expires_after: timedelta | None = None,
    ) -> dict[str, Any]:
        """Set fields of one draft, leave its other fields alone, and return the draft."""
        draft = {**await self.read(conversation, feature, expires_after), **items}
        await self._write(feature, draft)
        return draft

    async def set(
        self,
        conversation: Conversation,
        feature: str,
        items: Mapping[str, Any],
        expires_after: timedelta | None = None,
    ) -> None:
        """Set fields of one draft."""
        await self.update(conversation, feature, items, expires_after)

    async def delete(self, conversation: Conversation, feature: str, names: Sequence[str]) -> None:
        """Remove fields of one draft; absent ones are ignored."""
        draft = await self.read(conversation, feature)
        await self._write(feature, {name: value for name, value in draft.items() if name not in names})

    async def clear(self, conversation: Conversation, feature: str) -> None:
        """Remove one draft and nothing else."""
        del conversation
        await self._write(feature, {})

    async def change_field(
        self,
        conversation: Conversation,
        feature: str,
        name: str,
        compute: Callable[[Any], Any],
        expires_after: timedelta | None = None,
    ) -> Any:
        """Set one field to what *compute* makes of it, or of `ABSENT`; returning `ABSENT` leaves it alone."""
        draft = await self.read(conversation, feature, expires_after)
        result = compute(draft.get(name, ABSENT))
        if result is not ABSENT:
            await self._write(feature, draft | {name: result})
        return result

    async def reshape(
        self,
        conversation: Conversation,
        feature: str,
        migrate: Callable[[dict[str, Any]], dict[str, Any]],
        expires_after: timedelta | None = None,
    ) -> None:
        """Store the draft as *migrate* returns it."""
        draft = await self.read(conversation, feature, expires_after)
        if draft:
            await self._write(feature, migrate(draft))

    async def _write(self, feature: str, draft: Mapping[str, Any]) -> None:
        data = await self._state.get_data()
        data.pop(DRAFT + feature, None)
        await self._state.set_data(data | ({DRAFT + feature: dict(draft)} if draft else {}))
