"""Those who look on as things happen: one reader of the feed for all of them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

from state.ending import ended
from state.errors import StoreUnavailable
from state.feed import Feed, Happening

log = logging.getLogger(__name__)

#: One look at the feed lasts no longer, so that the connection's own time limit is never met.
LONGEST_LOOK = timedelta(seconds=2)
PAUSE = timedelta(seconds=0.5)
#: So many happenings may wait for one onlooker; who is slower is sent away, and can come back where it was.
MOST_WAITING = 2000


class Onlooker:
    """What has happened since it came, in order."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Happening | None] = asyncio.Queue(MOST_WAITING)

    def tell(self, happening: Happening) -> None:
        """Give it *happening*, or send it away if too many wait."""
        try:
            self._waiting.put_nowait(happening)
        except asyncio.QueueFull:
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._waiting.put_nowait(None)

    async def next(self, longest: timedelta) -> Happening | None:
        """
        Return the next happening; None: there was none within *longest*.

        Raises:
            EOFError: it was too slow, and is sent away.
        """
        try:
            async with asyncio.timeout(longest.total_seconds()):
                happening = await self._waiting.get()
        except TimeoutError:
            return None
        if happening is None:
            raise EOFError
        return happening


class Onlookers:
    """Reads the feed while anybody looks on; nobody costs nothing."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self._onlookers: set[Onlooker] = set()
        self._reading: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[Onlooker]:
        """
        Look on: all that happens from now on is told.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        onlooker = Onlooker()
        # Before anything is told, it must be known where the feed ends: what comes later may not be missed.
        ends = await self.feed.ends() if self._reading is None else {}
        self._onlookers.add(onlooker)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(ends), name="feed")
        try:
            yield onlooker
        finally:
            self._onlookers.discard(onlooker)
            if not self._onlookers:
                await self.close()

    async def close(self) -> None:
        """Read no more."""
        reading, self._reading = self._reading, None
        if reading is not None:
            await ended(reading)

    async def _read(self, ends: Mapping[str, str]) -> None:
        while True:
            try:
                happenings, ends = await self.feed.after(ends, LONGEST_LOOK)
            except StoreUnavailable:
                log.warning("the store is away; the feed is read again")
                await asyncio.sleep(PAUSE.total_seconds())
                continue
            for happening in happenings:
                for onlooker in self._onlookers:
                    onlooker.tell(happening)
