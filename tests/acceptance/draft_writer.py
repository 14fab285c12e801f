"""Writes many fields of one draft at once: ``python -m tests.acceptance.draft_writer URL FIRST LAST``."""

import asyncio
import sys

from aiogram.fsm.context import FSMContext

from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation

CONVERSATION = Conversation.private(42, 900)


async def write(url: str, first: int, last: int) -> None:
    """Set the fields *first* to *last*, each by a writer of its own."""
    storage = ConversationStorage.from_url(url)
    state = FSMContext(storage, CONVERSATION.storage_key())
    try:
        await asyncio.gather(
            *(
                BaseStateManager(state, feature_key="race").update(**{f"field_{number}": number})
                for number in range(first, last)
            )
        )
    finally:
        await storage.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
