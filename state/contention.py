"""Trying again after somebody else was first."""

import asyncio
import random
from typing import Final

#: About what one change takes.
FIRST_PAUSE_SECONDS: Final = 0.001
LONGEST_PAUSE_SECONDS: Final = 0.02
#: Not the generator that a bot, or a test, may have seeded.
_CHANCE: Final = random.SystemRandom()


async def stand_back(tries: int) -> None:
    """
    Return after a moment, by chance and longer the more *tries* have failed; at once when none has.

    Each failure was another writer's success. Writers that come back at the same time meet again.
    """
    if tries:
        longest = min(FIRST_PAUSE_SECONDS * 2 ** min(tries - 1, 10), LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(_CHANCE.uniform(0, longest))
