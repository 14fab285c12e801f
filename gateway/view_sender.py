"""Views from outside of any handler."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta

from gateway.answers import Answer, Outcome
from gateway.views import View
from state.conversation import Conversation
from state.storage import ConversationStorage

#: The answer is looked for at growing intervals, of so much at most.
LONGEST_LOOK_SECONDS = 0.5
_WORST_LAST = (Outcome.DONE, Outcome.LATER, Outcome.DROPPED, Outcome.REFUSED)


class ViewSender:
    """Puts views into the outbox; delivery edits the screen in place, as for a handler's view."""

    def __init__(self, storage: ConversationStorage) -> None:
        self._storage = storage

    async def send(
        self, conversation: Conversation, view: View, *, wait: timedelta = timedelta(seconds=5)
    ) -> Answer:
        """
        Owe *conversation* this view, durably, and return what became of it.

        `Outcome.LATER` says that it is not known after *wait*: Telegram is asked until it answers. With a
        *wait* of nothing that is always so. Of several blocks the worst is told.

        Raises:
            StoreUnavailable: Redis did not answer; the view was stored whole or not at all.
        """
        conversation = (await self._storage.migrations.home(conversation)).conversation
        unit = await self._storage.unit_of_work(conversation)
        tickets = []
        for effect in view.effects():
            if wait:
                tickets.append(secrets.token_hex(8))
                effect.payload["ticket"] = tickets[-1]
            unit.add_effect(effect)
        await self._storage.append(unit)
        return await self._answer(conversation, tickets, wait) if tickets else Answer(Outcome.LATER)

    async def _answer(self, conversation: Conversation, tickets: Sequence[str], wait: timedelta) -> Answer:
        try:
            async with asyncio.timeout(wait.total_seconds()):
                answers = [await self._told(conversation, ticket) for ticket in tickets]
        except TimeoutError:
            return Answer(Outcome.LATER)
        return max(answers, key=lambda answer: _WORST_LAST.index(answer.outcome))

    async def _told(self, conversation: Conversation, ticket: str) -> Answer:
        pause = 0.005
        while (told := await self._storage.told(conversation, ticket)) is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK_SECONDS)
        return Answer.of_told(told)
