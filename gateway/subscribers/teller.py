"""Tells one subscriber what it is owed, until it has it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

import structlog

from gateway.retries import RetryPolicy
from gateway.subscribers.post import Post
from gateway.subscribers.word import TYPE, body_of, word_id
from state.ending import ended
from state.envelope import Envelope
from state.errors import StoreUnavailable
from state.subscribers import SOURCE_PREFIX, OwedWord, SubscriberLog, Tries

log = structlog.get_logger(__name__)

#: Word of a new entry may be missed, so all partitions are looked at this often.
LOOK_EVERY = timedelta(seconds=2)
STORE_PAUSE_SECONDS = 0.5
READ_COUNT = 100
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=12)


class Teller:
    """
    Posts the words of the partitions that this process holds.

    Words of one conversation go one after the other; while one waits for its next attempt, those of others
    pass. A word may be told twice, under one id, when a process dies after the answer; none is left out.
    """

    def __init__(
        self,
        owed: SubscriberLog,
        post: Post,
        *,
        held: Callable[[], frozenset[int]],
        attempts: int,
        concurrency: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._owed = owed
        self._post = post
        self._held = held
        self._retries = RetryPolicy(attempts, FIRST_DELAY, LONGEST_DELAY)
        self._slots = asyncio.Semaphore(concurrency)
        self._now_ms = now_ms
        self._wake = asyncio.Event()
        self._at_work: dict[int, asyncio.Task[None]] = {}

    def notice(self) -> None:
        """Learn that there may be something new to tell."""
        self._wake.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        try:
            while True:
                self._begin(await self._partitions())
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY.total_seconds()):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            await ended(*self._at_work.values())

    async def _partitions(self) -> Iterable[int]:
        """Return those of ours that owe something."""
        held = self._held()
        try:
            counts = await asyncio.gather(*(self._owed.owed(number) for number in held))
        except StoreUnavailable:
            return ()
        return [number for number, count in zip(held, counts, strict=True) if count]

    def _begin(self, partitions: Iterable[int]) -> None:
        for number in partitions:
            if number not in self._at_work:
                task = asyncio.create_task(self._tell(number), name=f"{self._owed.subscriber} {number}")
                self._at_work[number] = task
                task.add_done_callback(partial(self._ended, number))

    def _ended(self, partition: int, _: asyncio.Task[None]) -> None:
        self._at_work.pop(partition, None)

    async def _tell(self, partition: int) -> None:
        while partition in self._held():
            try:
                words = await self._owed.read(partition, READ_COUNT)
                tries = await self._owed.tries(partition)
                now_ms = self._now_ms()
                first = _first_of_each(words)
                due = [word for word in first if tries.get(word.id, Tries()).next_at_ms <= now_ms]
                if not due:
                    return
                await asyncio.gather(*(self._send(word, tries.get(word.id, Tries())) for word in due))
            except StoreUnavailable as error:
                log.warning("the store is away; a subscriber is told again", error=str(error))
                await asyncio.sleep(STORE_PAUSE_SECONDS)
            except Exception:
                log.exception("a subscriber could not be told; tried again", to=self._owed.subscriber)
                return

    async def _send(self, word: OwedWord, tries: Tries) -> None:
        name, body = word_id(word, self._owed.subscriber), body_of(word)
        async with self._slots:
            posted = await self._post.send(name, body)
        if not posted.why:
            log.debug("told", to=self._owed.subscriber, id=name)
            await self._owed.end(word)
            return
        made = tries.made + 1
        if posted.final or made >= self._retries.attempts:
            log.error("dead letter", to=self._owed.subscriber, id=name, attempts=made, reason=posted.why)
            await self._owed.give_up(word, self._envelope(word, name, body), self._why(posted.why, made))
            return
        delay = max(self._retries.delay(made), timedelta(seconds=posted.retry_after_seconds))
        log.warning(
            "not told; sent again",
            to=self._owed.subscriber,
            id=name,
            attempts=made,
            of=self._retries.attempts,
            in_seconds=round(delay.total_seconds(), 1),
            reason=posted.why,
        )
        next_at_ms = self._now_ms() + int(delay.total_seconds() * 1000)
        await self._owed.postpone(word, Tries(made, next_at_ms))

    def _envelope(self, word: OwedWord, name: str, body: bytes) -> Envelope:
        source = f"{SOURCE_PREFIX}{self._owed.subscriber}"
        return Envelope(source, TYPE, name, word.transition.at_ms, body, conversation=word.conversation)

    def _why(self, reason: str, made: int) -> dict[str, object]:
        return {"reason": "subscriber", "detail": f"{reason}, {made} attempts", "at_ms": self._now_ms()}


def _first_of_each(words: Sequence[OwedWord]) -> list[OwedWord]:
    first: dict[object, OwedWord] = {}
    for word in words:
        first.setdefault(word.conversation, word)
    return list(first.values())
