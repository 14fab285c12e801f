"""From the outbox to Telegram: one chat at a time, the newest view of a block only."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import structlog
from aiogram import Bot

from gateway.answers import CHAT_CLOSED, Answer, Cause, Outcome
from gateway.lane import Lane, counts_as_send, lane_of, names_its_chat, target_of
from gateway.paced_calls import delivers
from gateway.partition_outbox import PartitionOutbox
from gateway.rate_limits import RateLimits
from gateway.recording import Recorder
from gateway.sender import Sender
from state import faults
from state.budgets import Closed, NotYet, Open
from state.chats import Chats
from state.conversation import Conversation
from state.ending import ended
from state.errors import StoreUnavailable
from state.lease import Lease
from state.migrations import Migrations
from state.outbox import EffectKind, Outbox, OutboxEntry
from state.screen import BlockName, ShownBlock
from state.scripts import Scripts

log = structlog.get_logger(__name__)

READ_COUNT = 200
#: So many effects of one partition are kept in memory; the rest waits in the outbox.
READ_AHEAD = 2000
STORE_PAUSE_SECONDS = 0.2
#: After a defect of ours.
DEFECT_PAUSE = timedelta(seconds=5)
#: An effect that Telegram does not take for so long is given up: others wait behind it.
GIVE_UP_AFTER = timedelta(hours=24)
#: Longest wait between two tries of an effect while Telegram fails.
LONGEST_PAUSE = timedelta(seconds=60)


class Delivery:
    """Pays what we owe Telegram, for the partitions whose lease this process holds."""

    def __init__(
        self,
        outbox: Outbox,
        scripts: Scripts,
        bots: Mapping[int, Bot],
        *,
        limits: RateLimits,
        chats: Chats,
        migrations: Migrations,
        is_garbage: Callable[[str | None], bool],
        conversation_expires_after: timedelta,
        sender: Sender | None = None,
        now_ms: Callable[[], int],
    ) -> None:
        self._outbox = outbox
        self._scripts = scripts
        self._bots = bots
        self._limits = limits
        self._chats = chats
        self._migrations = migrations
        self._recorder = Recorder(
            scripts,
            bots,
            is_garbage=is_garbage,
            ttl_ms=int(conversation_expires_after.total_seconds() * 1000),
            notice=self.notice,
        )
        self._sender = sender or Sender()
        self._now_ms = now_ms
        self._partitions: dict[int, PartitionOutbox] = {}
        self._stopping = False

    def take(self, lease: Lease) -> None:
        """Begin with the partition of *lease*, from its oldest effect."""
        self._partitions[lease.partition] = PartitionOutbox(lease)
        self.notice(lease.partition)

    def lose(self, partition: int) -> None:
        """Begin nothing more in *partition*; another worker has it."""
        owed = self._partitions.pop(partition, None)
        if owed is not None:
            owed.begin_nothing_more()

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
        if tasks := owed.begin_nothing_more():
            _, late = await asyncio.wait(tasks, timeout=limit.total_seconds() if limit else None)
            await ended(*late)

    async def stop(self, limit: timedelta) -> None:
        """Finish the calls that are under way within *limit*; what has not gone out stays in the outbox."""
        self._stopping = self._recorder.stopping = True
        await asyncio.gather(*(self.release(partition, limit) for partition in list(self._partitions)))

    async def _read(self, partition: int, owed: PartitionOutbox) -> None:
        try:
            while owed.again and not self._stopping:
                owed.again = False
                if owed.held >= READ_AHEAD:
                    owed.full = True
                    return
                owed.read_anew(self._outbox.connections)
                try:
                    page = await self._outbox.read(partition, after=owed.cursor, count=READ_COUNT)
                except StoreUnavailable:
                    await asyncio.sleep(STORE_PAUSE_SECONDS)
                    owed.again = True
                    continue
                for entry in page.entries:
                    if entry.id not in owed.known:
                        self._queue(partition, owed, entry)
                owed.cursor, owed.again = page.cursor, owed.again or page.more
        finally:
            owed.reading = None

    def _queue(self, partition: int, owed: PartitionOutbox, entry: OutboxEntry) -> None:
        name = lane_of(entry)
        lane = owed.lanes.setdefault(name, Lane())
        lane.entries.append(entry)
        owed.held += 1
        if lane.task is None:
            lane.task = asyncio.create_task(
                self._deliver(partition, owed, name, lane), name=f"chat {name[1]}"
            )

    async def _deliver(
        self, partition: int, owed: PartitionOutbox, name: tuple[int, int, bool], lane: Lane
    ) -> None:
        """Deliver one chat's effects, one after the other."""
        delivers()
        try:
            while lane.entries and not self._stopping and self._partitions.get(partition) is owed:
                entry = lane.entries[0]
                try:
                    pause = await self._deliver_one(entry, lane, owed.lease)
                except StoreUnavailable as error:
                    log.warning(
                        "the store is away; the effect is tried again", effect=entry.id, error=str(error)
                    )
                    pause = timedelta(seconds=STORE_PAUSE_SECONDS)
                except Exception:
                    log.exception("an effect could not be delivered; tried again", effect=entry.id)
                    pause = DEFECT_PAUSE
                if pause is None:
                    lane.entries.popleft()
                    lane.failures = 0
                    owed.held -= 1
                    if owed.full and owed.held <= READ_AHEAD // 2:
                        owed.full = False
                        self.notice(partition)
                else:
                    await asyncio.sleep(pause.total_seconds())
        finally:
            lane.task = None
            if lane.has_turn:
                self._limits.hand_on(name[0])
            if not lane.entries:
                owed.lanes.pop(name, None)

    async def _deliver_one(self, entry: OutboxEntry, lane: Lane, lease: Lease) -> timedelta | None:
        """Deliver one effect; return how long to wait before trying it again, or None when it has ended."""
        conversation = entry.conversation
        bot = self._bots.get(conversation.bot_id)
        if bot is not None and counts_as_send(entry) and not lane.has_turn and not lane.superseded:
            await self._limits.turn(
                conversation.bot_id, awaited=entry.effect.user_is_there, first=lane.came_back
            )
            lane.has_turn = True
        if bot is None:
            reason = f"no bot {conversation.bot_id} is configured"
            await self._recorder.record(entry, Answer(Outcome.REFUSED, Cause.UNAUTHORIZED, reason=reason))
            return None
        if lane.superseded:
            await self._recorder.record(entry, Answer(Outcome.DONE, Cause.SUPERSEDED))
            return None
        target = target_of(entry)
        opened = await self._open(entry, target) if target is not None else None
        if isinstance(opened, Open | None):
            if lease.may_be_over:
                # This process was paused, or is cut off from Redis: another worker may be sending it.
                return timedelta(seconds=STORE_PAUSE_SECONDS)
            return await self._call(bot, entry, lane, target, opened)
        if isinstance(opened, Closed):
            log.info("its chat takes nothing; dropped", effect=entry.id, reason=opened.why)
            await self._recorder.record(entry, Answer(Outcome.DROPPED, Cause(opened.why)))
            return None
        if lane.has_turn:
            self._limits.hand_on(conversation.bot_id)
        lane.has_turn, lane.came_back = False, True
        return opened.wait

    async def _open(self, entry: OutboxEntry, target: Conversation) -> Open | NotYet | Closed:
        effect = entry.effect
        return await self._limits.open(
            target,
            counts=counts_as_send(entry),
            block=BlockName(effect.payload["block"]).field if effect.kind is EffectKind.SHOW else "",
            user_is_there=effect.user_is_there and target == entry.conversation,
        )

    async def _call(
        self, bot: Bot, entry: OutboxEntry, lane: Lane, target: Conversation | None, opened: Open | None
    ) -> timedelta | None:
        lane.calling = True
        try:
            if counts_as_send(entry):
                lane.has_turn = lane.came_back = False
            shown = ShownBlock.unpack(opened.shown) if opened is not None and opened.shown else None
            moved_to = opened.moved_to if opened is not None else None
            faults.reached("deliver.before")
            answer = await self._sender.do(bot, entry.conversation, entry.effect, shown, moved_to=moved_to)
            faults.reached("deliver.after")
            lane.uncertain = lane.uncertain or answer.uncertain
            if answer.outcome is Outcome.LATER:
                self._recorder.count(entry, answer)
                if self._now_ms() - entry.owed_since_ms < GIVE_UP_AFTER.total_seconds() * 1000:
                    return await self._put_off(entry, lane, answer, target, opened)
                answer = replace(answer, outcome=Outcome.REFUSED)
            if answer.migrated_to not in (None, moved_to) and await self._followed(entry, answer, target):
                return timedelta(0)
            if answer.outcome is Outcome.REFUSED:
                await self._refused(entry, answer, target)
            await self._recorder.record(entry, answer, repeated=lane.uncertain)
            lane.uncertain = False
        finally:
            lane.calling = False
        return None

    async def _refused(self, entry: OutboxEntry, answer: Answer, target: Conversation | None) -> None:
        log.warning(
            "Telegram refuses it for good",
            effect=entry.id,
            kind=entry.effect.kind.value,
            reason=answer.reason,
        )
        if target is not None and answer.cause in CHAT_CLOSED:
            await self._chats.close(target, answer.cause.value)

    async def _followed(self, entry: OutboxEntry, answer: Answer, target: Conversation | None) -> bool:
        """Turn to the supergroup that a group has become; False: its messages cannot be reached any more."""
        if answer.migrated_to is None or target is None or entry.effect.kind is EffectKind.DELETE:
            return False
        log.info("a group is a supergroup now", chat=target.chat_id, now=answer.migrated_to)
        await self._migrations.note(target.bot_id, target.chat_id, answer.migrated_to)
        return True

    async def _put_off(
        self,
        entry: OutboxEntry,
        lane: Lane,
        answer: Answer,
        target: Conversation | None,
        opened: Open | None,
    ) -> timedelta:
        """Return when to try again: as Telegram says, otherwise twice as late each time."""
        log.warning("Telegram did not take it; tried again", effect=entry.id, reason=answer.reason)
        if answer.cause is not Cause.TOO_MANY:
            lane.failures += 1
            longest = max(answer.pause, LONGEST_PAUSE)
            return min(answer.pause * (1 << min(lane.failures - 1, 30)), longest)
        if names_its_chat(entry):
            # It may well be that chat that has had too much, and nobody counts what goes there.
            return answer.pause
        # A chat that was quiet has not had too much: it is the bot that sends too much to all.
        of_chat = opened is not None and not (opened.quiet and counts_as_send(entry))
        await self._limits.refused(target or entry.conversation, answer.pause, of_chat=of_chat)
        return answer.pause
