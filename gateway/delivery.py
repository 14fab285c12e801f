"""From the outbox to Telegram: one chat at a time, the newest view of a block only."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from aiogram import Bot

from gateway.answers import Answer, Outcome
from gateway.rate_limits import RateLimits
from gateway.sender import Sender
from state.errors import StoreUnavailable
from state.outbox import EffectKind, Outbox, OutboxEntry
from state.screen import BlockName, ShownBlock
from state.scripts import Answered, Scripts, Tracked

log = structlog.get_logger(__name__)

READ_COUNT = 200
STORE_PAUSE_SECONDS = 0.2
#: Longest wait between two tries of an effect while Telegram fails.
LONGEST_PAUSE = timedelta(seconds=60)


@dataclass(slots=True)
class _Lane:
    """The effects of one chat, in their order."""

    entries: deque[OutboxEntry] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    calling: bool = False
    """A call to Telegram is under way, or its answer is being recorded."""


@dataclass(slots=True)
class _Partition:
    """What is known of one partition's outbox."""

    cursor: str = "0"
    lanes: dict[tuple[int, int], _Lane] = field(default_factory=dict)
    reading: asyncio.Task[None] | None = None
    again: bool = False


class Delivery:
    """Pays what we owe Telegram, for the partitions whose lease this process holds."""

    def __init__(
        self,
        outbox: Outbox,
        scripts: Scripts,
        bots: Mapping[int, Bot],
        *,
        is_garbage: Callable[[str | None], bool],
        conversation_expires_after: timedelta,
        sender: Sender | None = None,
    ) -> None:
        self._outbox = outbox
        self._scripts = scripts
        self._bots = bots
        self._limits = {bot_id: RateLimits() for bot_id in bots}
        self._is_garbage = is_garbage
        self._ttl_ms = int(conversation_expires_after.total_seconds() * 1000)
        self._sender = sender or Sender()
        self._partitions: dict[int, _Partition] = {}
        self._stopping = False

    def take(self, partition: int) -> None:
        """Begin with *partition*, from its oldest effect."""
        self._partitions[partition] = _Partition()
        self.notice(partition)

    def lose(self, partition: int) -> None:
        """Begin nothing more in *partition*; another worker has it."""
        self._partitions.pop(partition, None)

    def notice(self, partition: int) -> None:
        """Learn that *partition* may owe something new."""
        owed = self._partitions.get(partition)
        if owed is None or self._stopping:
            return
        owed.again = True
        if owed.reading is None:
            owed.reading = asyncio.create_task(self._read(partition, owed), name=f"outbox {partition}")

    async def release(self, partition: int, limit: timedelta | None = None) -> None:
        """
        Begin nothing more in *partition*, and return when no call of it is under way.

        Whoever takes it then sends nothing twice. After *limit* what is under way is given up: its answer
        cannot be recorded while Redis is away.
        """
        owed = self._partitions.pop(partition, None)
        if owed is None:
            return
        tasks = [lane.task for lane in owed.lanes.values() if lane.task]
        for lane in owed.lanes.values():
            if lane.task and not lane.calling:
                lane.task.cancel()
        if owed.reading:
            owed.reading.cancel()
            tasks.append(owed.reading)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=limit.total_seconds() if limit else None)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def stop(self, limit: timedelta) -> None:
        """Finish the calls that are under way within *limit*; what has not gone out stays in the outbox."""
        self._stopping = True
        await asyncio.gather(*(self.release(partition, limit) for partition in list(self._partitions)))

    async def _read(self, partition: int, owed: _Partition) -> None:
        try:
            while owed.again and not self._stopping:
                owed.again = False
                try:
                    entries = await self._outbox.read(partition, after=owed.cursor, count=READ_COUNT)
                except StoreUnavailable:
                    await asyncio.sleep(STORE_PAUSE_SECONDS)
                    owed.again = True
                    continue
                for entry in entries:
                    owed.cursor = entry.id
                    self._queue(partition, owed, entry)
                owed.again = owed.again or len(entries) == READ_COUNT
        finally:
            owed.reading = None

    def _queue(self, partition: int, owed: _Partition, entry: OutboxEntry) -> None:
        chat = (entry.conversation.bot_id, entry.conversation.chat_id)
        lane = owed.lanes.setdefault(chat, _Lane())
        lane.entries.append(entry)
        if lane.task is None:
            lane.task = asyncio.create_task(
                self._deliver(partition, owed, chat, lane), name=f"chat {chat[1]}"
            )

    async def _deliver(self, partition: int, owed: _Partition, chat: tuple[int, int], lane: _Lane) -> None:
        """Deliver one chat's effects, one after the other."""
        try:
            failures = 0
            while lane.entries and not self._stopping and self._partitions.get(partition) is owed:
                entry = lane.entries[0]
                try:
                    pause = await self._deliver_one(entry, lane)
                except StoreUnavailable as error:
                    log.warning(
                        "the store is away; the effect is tried again", effect=entry.id, error=str(error)
                    )
                    pause = timedelta(seconds=STORE_PAUSE_SECONDS)
                if pause is None:
                    lane.entries.popleft()
                    failures = 0
                else:
                    failures += 1
                    await asyncio.sleep(
                        min(pause * 2 ** (failures - 1), max(pause, LONGEST_PAUSE)).total_seconds()
                    )
        finally:
            lane.task = None
            if not lane.entries:
                owed.lanes.pop(chat, None)

    async def _deliver_one(self, entry: OutboxEntry, lane: _Lane) -> timedelta | None:
        """Deliver one effect; return how long to wait before trying it again, or None when it has ended."""
        conversation, effect = entry.conversation, entry.effect
        bot = self._bots.get(conversation.bot_id)
        if bot is not None and effect.kind in (EffectKind.SHOW, EffectKind.NOTICE):
            await self._limits[conversation.bot_id].wait(conversation.chat_id)
        if bot is None or _is_superseded(entry, lane):
            await self._record(entry, Answer(Outcome.DONE))
            return None
        lane.calling = True
        try:
            answer = await self._sender.do(bot, conversation, effect, await self._shown(entry))
            if answer.outcome is Outcome.LATER:
                log.warning("Telegram did not take it; tried again", effect=entry.id, reason=answer.reason)
                return answer.pause
            if answer.outcome is Outcome.REFUSED:
                log.warning(
                    "Telegram refuses it for good",
                    effect=entry.id,
                    kind=effect.kind.value,
                    reason=answer.reason,
                )
            await self._record(entry, answer)
        finally:
            lane.calling = False
        return None

    async def _shown(self, entry: OutboxEntry) -> ShownBlock | None:
        if entry.effect.kind is not EffectKind.SHOW:
            return None
        key = self._scripts.keys.conversation(entry.conversation)
        field_name = BlockName(entry.effect.payload["block"]).field
        packed = await self._scripts.calls.command("HGET", key, field_name)
        return ShownBlock.unpack(packed) if packed is not None else None

    async def _record(self, entry: OutboxEntry, answer: Answer) -> None:
        """Record the answer; a message that another worker has sent too is taken back."""
        if answer.unremoved:
            log.warning("messages had to stay in the chat", effect=entry.id, count=len(answer.unremoved))
        answered = answered_by(entry, answer, ttl_ms=self._ttl_ms, is_garbage=self._is_garbage)
        recorded = await self._recorded(entry.id, answered)
        if answered.garbage or answered.replaced:
            self.notice(self._scripts.keys.partition_of(entry.conversation))
        if not recorded and answer.new is not None:
            log.warning("another worker has sent this too; the second message is deleted", effect=entry.id)
            with suppress(Exception):
                bot = self._bots[entry.conversation.bot_id]
                await bot.delete_message(answer.new.chat_id, answer.new.message_id)

    async def _recorded(self, effect_id: str, answered: Answered) -> bool:
        """Record, however long Redis is away: what Telegram has done must not be done again."""
        while True:
            try:
                return await self._scripts.record(effect_id, answered)
            except StoreUnavailable:
                if self._stopping:
                    raise
                await asyncio.sleep(STORE_PAUSE_SECONDS)


def answered_by(
    entry: OutboxEntry, answer: Answer, *, ttl_ms: int, is_garbage: Callable[[str | None], bool]
) -> Answered:
    """Return what is to be recorded of *answer*: where the block stands now, and what has to go, and when."""
    effect, fields, garbage = entry.effect, {}, []
    if effect.kind is EffectKind.SHOW:
        block = BlockName(effect.payload["block"])
        if answer.shown is not None:
            fields[block.field] = answer.shown.pack()
            if block is BlockName.CONTENT and is_garbage(effect.state):
                garbage.append(_tracked(answer.shown, effect.state, block.value))
    elif answer.new is not None and is_garbage(effect.state):
        garbage.append(_tracked(answer.new, effect.state))
    return Answered(
        conversation=entry.conversation,
        ttl_ms=ttl_ms,
        set=fields,
        garbage=garbage,
        replaced=[_tracked(answer.replaced, None)] if answer.replaced is not None else [],
        unremoved=len(answer.unremoved),
    )


def _tracked(message: ShownBlock, state: str | None, block: str | None = None) -> Tracked:
    return Tracked(message.place, state, message.sent_at_ms, block)


def _is_superseded(entry: OutboxEntry, lane: _Lane) -> bool:
    """Tell whether a newer view of the same block waits behind *entry*."""
    if entry.effect.kind is not EffectKind.SHOW:
        return False
    return any(
        later.id != entry.id
        and later.effect.kind is EffectKind.SHOW
        and later.conversation == entry.conversation
        and later.effect.payload["block"] == entry.effect.payload["block"]
        # A view that wants new messages must not be lost to one that only edits.
        and (later.effect.payload.get("anew") or not entry.effect.payload.get("anew"))
        for later in lane.entries
    )
