"""From a service's Redis stream into the inbox."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
import structlog

from routers.events.entry import read_entry
from routers.events.message import Malformed, tell
from routers.provider import idempotency_key
from state.envelope import Envelope
from state.errors import StoreUnavailable
from state.inbox import Inbox
from state.service_stream import ServiceStream, StreamEntry

log = structlog.get_logger(__name__)

BATCH = 100
DEFECT_PAUSE_SECONDS = 1.0
RELEASE_SECONDS = 1.0
#: One look at the stream lasts no longer, so that the connection's own time limit is never met.
LONGEST_WAIT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Arrival:
    entry_id: str
    envelope: Envelope
    refusal: str | None = None
    """Why nobody can understand it."""

    @property
    def lane(self) -> object:
        """Entries that share it are accepted one after the other."""
        return self.envelope.conversation or self.envelope.token or self.entry_id


class Bridge:
    """
    Brings one stream's entries into the inbox, each once, those of one user in their order.

    An entry is finished only once the inbox has it, so a process that dies in between leaves it for the
    next, and the inbox knows it by its id. One that cannot be understood becomes a dead letter. While the
    inbox takes nothing, nothing is read.
    """

    def __init__(
        self,
        name: str,
        stream: ServiceStream,
        inbox: Inbox,
        *,
        bots: Mapping[str, int],
        default_bot: str | None,
        id_field: str | None,
        remember_for: timedelta,
        pause: timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.source = f"stream:{name}"
        self.stream = stream
        self._inbox = inbox
        self._bots = bots
        self._default_bot = default_bot
        self._id_field = id_field.encode() if id_field else None
        self._remember_for = remember_for
        self._pause = pause
        self._now = now

    async def run(self) -> None:
        """Bridge until cancelled; then let another process do it."""
        try:
            while True:
                try:
                    await self._read()
                except StoreUnavailable as error:
                    log.warning("stream_waits", source=self.source, error=str(error))
                    await asyncio.sleep(error.retry_after_seconds)
                except Exception:
                    log.exception("stream_failed", source=self.source)
                    await asyncio.sleep(DEFECT_PAUSE_SECONDS)
        finally:
            with suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self.stream.release()

    async def _read(self) -> None:
        """Bring what was left unfinished, then what is new, until something fails."""
        unfinished = True
        while True:
            batch = await self.stream.read(BATCH, unfinished=unfinished)
            if batch is None:
                unfinished = True
                await asyncio.sleep(self._pause.total_seconds())
            elif batch.entries:
                await self._bring(batch.entries)
                await self.stream.finish([entry.id for entry in batch.entries])
            elif unfinished:
                unfinished = False
            else:
                await self.stream.wait(batch.last_id, min(self._pause, LONGEST_WAIT))

    async def _bring(self, entries: Sequence[StreamEntry]) -> None:
        """
        Have the inbox accept *entries*.

        Many go in one round trip, but only one of each conversation: if it is not taken, the later ones of
        that conversation must not be either.
        """
        left = [self._arrival(entry.id, entry.fields) for entry in entries if entry.fields is not None]
        while left:
            now, left = _first_of_each(left)
            for outcome in await asyncio.gather(*map(self._accept, now), return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome

    async def _accept(self, arrival: _Arrival) -> None:
        envelope, refusal = arrival.envelope, arrival.refusal
        if refusal is None:
            disposition = await self._inbox.accept(envelope, remember_for=self._remember_for)
        else:
            disposition = await self._inbox.bury(envelope, refusal, remember_for=self._remember_for)
            log.warning("unreadable", source=self.source, entry=arrival.entry_id, where=refusal)
        log.info(
            "received",
            source=self.source,
            type=envelope.type,
            entry=arrival.entry_id,
            disposition=disposition.word,
        )

    def _arrival(self, entry_id: str, fields: Mapping[bytes, bytes]) -> _Arrival:
        now = self._now()
        received_at_ms = int(now.timestamp() * 1000)
        own_id = fields.get(self._id_field) if self._id_field else None
        try:
            message = read_entry(fields)
            told = tell(
                message,
                source=self.source,
                key=entry_id,
                bots=self._bots,
                default_bot=self._default_bot,
                now=now,
            )
        except Malformed as refused:
            body = orjson.dumps({_text(name): _text(value) for name, value in fields.items()})
            envelope = Envelope(self.source, f"{self.source}.unreadable", entry_id, received_at_ms, body)
            return _Arrival(entry_id, envelope, str(refused))
        envelope = Envelope(
            source=self.source,
            type=told.event.type,
            idempotency_key=told.idempotency_key if own_id is None else idempotency_key(_text(own_id)),
            received_at_ms=received_at_ms,
            body=message.encode(),
            event=told.event.encode(),
            conversation=told.conversation,
            token=told.token,
        )
        return _Arrival(entry_id, envelope)


def _first_of_each(arrivals: Iterable[_Arrival]) -> tuple[list[_Arrival], list[_Arrival]]:
    """Return the first arrival of each lane, and the rest in its order."""
    first: dict[object, _Arrival] = {}
    rest = [arrival for arrival in arrivals if first.setdefault(arrival.lane, arrival) is not arrival]
    return list(first.values()), rest


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
