"""How many handlers run at once, and how many of them begin in one turn of the event loop."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Final, Protocol

#: While calls come, one handler begins for so many of them. A handler costs three times what a call does,
#: so it has two fifths of the time: callers are answered soon, and those who wait are not forgotten.
CALLS_FOR_A_HANDLER: Final = 4
#: While none come. What begins in one turn is committed in one round trip, and nobody is answered before it.
MOST_IN_A_TURN: Final = 8


class Door(Protocol):
    """The part of `state.inbox.Inbox` that is needed here."""

    calls: int
    storing: int


class HandlerSlots:
    """
    ``async with`` one of *count* slots, first come, first served.

    Handlers and the acceptance of calls share one event loop. When many events wait, some handlers begin in
    each turn of it, and what has come meanwhile is looked at before the next: their senders wait for an
    acknowledgement only.
    """

    def __init__(self, count: int, door: Door) -> None:
        self._free = count
        self._door = door
        self._seen = door.calls
        self._credit = 0
        """Calls that have come since a handler began."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turn_comes = False

    def all_taken(self) -> bool:
        """Whoever comes now has to wait for another to end."""
        return self._free <= len(self._waiting)

    async def __aenter__(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._see_to_next_turn()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()

    def _give_back(self) -> None:
        self._free += 1
        self._see_to_next_turn()

    def _see_to_next_turn(self) -> None:
        if self._free and self._waiting and not self._turn_comes:
            self._turn_comes = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_comes = False
        begin = min(self._free, self._how_many())
        while begin and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._free -= 1
                begin -= 1
        self._see_to_next_turn()

    def _how_many(self) -> int:
        calls = self._door.calls
        came, self._seen = calls - self._seen, calls
        if came:
            begin, self._credit = divmod(self._credit + came, CALLS_FOR_A_HANDLER)
            return begin
        # While Redis stores what came there is time for one.
        return 1 if self._door.storing else MOST_IN_A_TURN
