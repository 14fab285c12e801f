"""Views from outside of any handler."""

from gateway.views import View
from state.conversation import Conversation
from state.storage import ConversationStorage


class ViewSender:
    """Puts views into the outbox; delivery edits the screen in place, as for a handler's view."""

    def __init__(self, storage: ConversationStorage) -> None:
        self._storage = storage

    async def send(self, conversation: Conversation, view: View) -> None:
        """
        Owe *conversation* this view, durably.

        Raises:
            StoreUnavailable: Redis did not answer; the view was stored whole or not at all.
        """
        unit = await self._storage.unit_of_work(conversation)
        for effect in view.effects():
            unit.add_effect(effect)
        await self._storage.append(unit)
