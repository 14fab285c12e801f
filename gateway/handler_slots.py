"""How many handlers run at once, and how many of them begin in one turn of the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

#: While calls come, one handler begins for so many of them, so that a burst is acknowledged before it is
#: worked off.
CALLS_FOR_A_HANDLER: Final = 64
#: Once somebody has waited for so long, one handler begins for each call: however long calls come without a
#: pause, while there are slots no more events come than begin, and nobody waits much longer.
PATIENCE_SECONDS: Final = 0.5
#: While none come. What begins in one turn is committed in one round trip, and nobody is answered before it.
MOST_IN_A_TURN: Final = 8


class Door(Protocol):
    """The part of `state.inbox.Inbox` that is needed here."""

    calls: int
    storing: int


class HandlerSlots:
    """
    *count* slots, first come, first served.

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
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, Callable[[], bool]]] = deque()
        """Since when, on the clock of the loop, and what begins then."""
        self._turn_comes = False

    def all_taken(self) -> bool:
        """Whoever comes now has to wait for another to end."""
        return self._free <= len(self._waiting)

    def queue(self, begin: Callable[[], bool]) -> None:
        """
        Call *begin* in a later turn of the loop, when a slot is free.

        It tells whether it takes the slot; who does calls `give_back` at the end.
        """
        self._waiting.append((self._loop.time(), begin))
        self._see_to_next_turn()

    def give_back(self) -> None:
        """Leave a slot to the next one."""
        self._free += 1
        self._see_to_next_turn()

    def _see_to_next_turn(self) -> None:
        if self._free and self._waiting and not self._turn_comes:
            self._turn_comes = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_comes = False
        most = min(self._free, self._how_many())
        while most and self._waiting:
            _, begin = self._waiting.popleft()
            if begin():
                self._free -= 1
                most -= 1
        self._see_to_next_turn()

    def _how_many(self) -> int:
        calls = self._door.calls
        came, self._seen = calls - self._seen, calls
        if came:
            begin, self._credit = divmod(self._credit + came, self._calls_for_a_handler())
            return begin
        # While Redis stores what came there is time for one.
        return 1 if self._door.storing else MOST_IN_A_TURN

    def _calls_for_a_handler(self) -> int:
        """Of those who wait, the first has waited longest."""
        is_patient = not self._waiting or self._loop.time() - self._waiting[0][0] < PATIENCE_SECONDS
        return CALLS_FOR_A_HANDLER if is_patient else 1
