"""
Telegram's limits on sending, kept before Telegram has to say so.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from aiolimiter import AsyncLimiter

#: Chats whose pace is remembered; one that was quiet for longer has its whole burst again anyway.
REMEMBERED_CHATS = 10_000


@dataclass(frozen=True, slots=True)
class Pace:
    """So many sends within so many seconds; all of them at once if need be."""

    sends: float
    per_seconds: float

    def limiter(self) -> AsyncLimiter:
        """Return a new limiter of this pace."""
        return AsyncLimiter(self.sends, self.per_seconds)


#: About 30 messages a second for one bot.
BOT_PACE = Pace(30, 1)
#: About one a second for one chat, with a short burst.
CHAT_PACE = Pace(5, 5)
#: 20 a minute for one group.
GROUP_PACE = Pace(20, 60)


class RateLimits:
    """The pace of one bot: its own, and that of each of its chats."""

    def __init__(self, bot: Pace = BOT_PACE, chat: Pace = CHAT_PACE, group: Pace = GROUP_PACE) -> None:
        self._bot = bot.limiter()
        self._chat = chat
        self._group = group
        self._chats: OrderedDict[int, AsyncLimiter] = OrderedDict()
        self._resume_at: dict[int, float] = {}

    async def wait(self, chat_id: int) -> None:
        """Return when a message may go to *chat_id*."""
        resume_at = self._resume_at.pop(chat_id, None)
        if resume_at is not None:
            await asyncio.sleep(max(0.0, resume_at - asyncio.get_running_loop().time()))
        await self._of(chat_id).acquire()
        await self._bot.acquire()

    def pause(self, chat_id: int, seconds: float) -> None:
        """Telegram said 429: send nothing to *chat_id* for *seconds*."""
        self._resume_at[chat_id] = asyncio.get_running_loop().time() + seconds

    def _of(self, chat_id: int) -> AsyncLimiter:
        limiter = self._chats.get(chat_id)
        if limiter is None:
            # A group's id is negative: https://core.telegram.org/bots/api#chat
            limiter = (self._group if chat_id < 0 else self._chat).limiter()
            self._chats[chat_id] = limiter
            if len(self._chats) > REMEMBERED_CHATS:
                self._chats.popitem(last=False)
        self._chats.move_to_end(chat_id)
        return limiter
