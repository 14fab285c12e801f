"""G5: concurrent writers of different fields both survive."""

import asyncio
import sys

from redis.asyncio import Redis

from state import ConversationStorage
from tests.acceptance.draft_writer import CONVERSATION


async def test_a_hundred_writers_in_two_processes_lose_nothing(
    redis: Redis, redis_url: str, storage: ConversationStorage
) -> None:
    """Each writes another field of one draft, all at once: all hundred fields are there."""
    del redis  # it empties the store first
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.acceptance.draft_writer", redis_url, str(first), str(first + 50)
        )
        for first in (0, 50)
    ]

    assert [await writer.wait() for writer in writers] == [0, 0]

    draft = await storage.drafts.read(CONVERSATION, "race")
    assert draft == {f"field_{number}": number for number in range(100)}
