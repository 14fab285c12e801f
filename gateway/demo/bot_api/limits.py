"""How much a bot may send: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"""

import math
from collections import deque
from dataclasses import dataclass, field

from gateway.demo.bot_api.chats import Chat, ChatType


@dataclass(slots=True)
class _Window:
    """At most *most* events in any *seconds*."""

    most: int
    seconds: float
    _times: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        while self._times and self._times[0] <= now - self.seconds:
            self._times.popleft()
        return self._times[0] + self.seconds - now if len(self._times) >= self.most else 0.0

    def note(self, now: float) -> None:
        self._times.append(now)


class Limits:
    """
    One message a second and chat with a short burst, 20 a minute and group, 30 a second and bot.

    Telegram does not say how long a burst may be; here it is *burst* messages in as many seconds.
    """

    def __init__(self, *, burst: int = 3, per_bot_a_second: int = 30, per_group_a_minute: int = 20) -> None:
        self._burst = burst
        self._per_group_a_minute = per_group_a_minute
        self._bot = _Window(per_bot_a_second, 1)
        self._chats: dict[int, list[_Window]] = {}

    def admit(self, chat: Chat, now: float) -> int | None:
        """None: the message may go, and is counted. Otherwise the seconds to wait."""
        windows = [self._bot, *self._windows(chat)]
        if (wait := max(window.wait(now) for window in windows)) > 0:
            return max(1, math.ceil(round(wait, 3)))
        for window in windows:
            window.note(now)
        return None

    def _windows(self, chat: Chat) -> list[_Window]:
        if chat.id not in self._chats:
            windows = [_Window(self._burst, self._burst)]
            if chat.type is not ChatType.PRIVATE:
                windows.append(_Window(self._per_group_a_minute, 60))
            self._chats[chat.id] = windows
        return self._chats[chat.id]
