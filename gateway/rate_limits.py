"""
Telegram's limits on sending, kept before Telegram has to say so, by all processes together.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from datetime import timedelta

import structlog

from state.budgets import Budgets, Closed, Limit, NotYet, Open
from state.conversation import Conversation
from state.ending import ended

log = structlog.get_logger(__name__)

#: What leaves us a second apart may arrive a little less apart.
SLACK = timedelta(milliseconds=100)
#: One chat takes about one a second, with short bursts: whoever presses buttons quickly must not wait. How
#: short, Telegram does not say; if it finds these too long, a 429 tells us.
CHAT_LIMITS = (Limit(5, timedelta(seconds=3) + SLACK), Limit(20, timedelta(seconds=20) + SLACK))
#: A group takes 20 a minute besides.
GROUP_LIMITS = (*CHAT_LIMITS, Limit(20, timedelta(minutes=1) + SLACK))
#: So many sends are asked for in one call; what a process that dies had not used is lost for a second.
LARGEST_BLOCK = 50


class RateLimits:
    """The budgets of some bots and their chats, and those who wait for them in this process."""

    def __init__(self, budgets: Budgets, sends_per_second: Mapping[int, int]) -> None:
        self._budgets = budgets
        self._queues = {
            bot_id: _Queue(budgets, bot_id, Limit(most, timedelta(seconds=1) + SLACK))
            for bot_id, most in sends_per_second.items()
        }

    async def turn(self, bot_id: int, *, awaited: bool = False, first: bool = False) -> None:
        """
        Return when the bot may send one message more.

        What a person in a chat has *awaited* goes before all else; *first* is before those of its kind.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        await self._queues[bot_id].turn(awaited=awaited, first=first)

    def hand_on(self, bot_id: int) -> None:
        """Give a turn that is not used to the next one who waits here."""
        self._queues[bot_id].hand_on()

    async def open(
        self, conversation: Conversation, *, counts: bool, block: str, user_is_there: bool = False
    ) -> Open | NotYet | Closed:
        """
        Begin an effect in the conversation's chat; *counts* says whether it is a send.

        *user_is_there* says that the effect answers what a person has just done in the chat.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        # A group's id is negative: https://core.telegram.org/bots/api#chat
        limits = GROUP_LIMITS if conversation.chat_id < 0 else CHAT_LIMITS
        return await self._budgets.open(
            conversation, limits, counts=counts, block=block, user_is_there=user_is_there
        )

    async def refused(self, conversation: Conversation, lasts: timedelta, *, of_chat: bool) -> None:
        """
        Note a 429: nothing goes for so long, to this chat or from the whole bot.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        log.warning(
            "Telegram says that this is too much",
            scope="chat" if of_chat else "bot",
            bot=conversation.bot_id,
            seconds=lasts.total_seconds(),
        )
        if of_chat:
            await self._budgets.pause_chat(conversation, lasts)
        else:
            await self._budgets.pause_bot(conversation.bot_id, lasts)

    async def close(self) -> None:
        """Ask for nothing more."""
        for queue in self._queues.values():
            await queue.close()


class _Queue:
    """Those who wait in this process for one bot's budget. One of them asks for all."""

    def __init__(self, budgets: Budgets, bot_id: int, limit: Limit) -> None:
        self._budgets = budgets
        self._bot_id = bot_id
        self._limit = limit
        self._awaited: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._asking: asyncio.Task[None] | None = None

    async def turn(self, *, awaited: bool, first: bool) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._awaited if awaited else self._others
        if first:
            queue.appendleft(mine)
        else:
            queue.append(mine)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name=f"budget of bot {self._bot_id}")
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.hand_on()
            raise

    def hand_on(self) -> None:
        while waiting := self._awaited or self._others:
            mine = waiting.popleft()
            if not mine.done():
                mine.set_result(None)
                return

    async def close(self) -> None:
        if self._asking is not None:
            await ended(self._asking)

    async def _ask(self) -> None:
        try:
            while waiting := len(self._awaited) + len(self._others):
                want = min(waiting, LARGEST_BLOCK)
                granted = await self._budgets.grant(self._bot_id, want, [self._limit])
                for _ in range(granted.count):
                    self.hand_on()
                if granted.count < want:
                    await asyncio.sleep(granted.wait.total_seconds())
        except Exception as error:  # noqa: BLE001 - whoever waits must learn of it: nobody else may ask
            for queue in (self._awaited, self._others):
                for mine in queue:
                    if not mine.done():
                        mine.set_exception(error)
                queue.clear()
        finally:
            self._asking = None
