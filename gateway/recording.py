"""What is to be recorded of Telegram's answer to an effect."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import structlog
from aiogram import Bot

from gateway.answers import Answer, Outcome
from state.delivered import Delivered
from state.errors import StoreUnavailable
from state.outbox import EffectKind, OutboxEntry
from state.screen import BlockName, ShownBlock
from state.scripts import Answered, Scripts, Tracked
from state.tally import Tallied

log = structlog.get_logger(__name__)

STORE_PAUSE_SECONDS = 0.2


class Recorder:
    """Writes down what Telegram has done, so that nobody does it again."""

    def __init__(
        self,
        scripts: Scripts,
        bots: Mapping[int, Bot],
        *,
        is_garbage: Callable[[str | None], bool],
        ttl_ms: int,
        notice: Callable[[int], None],
    ) -> None:
        """*notice* is called with a partition in which recording has left something to delete."""
        self._scripts = scripts
        self._bots = bots
        self._is_garbage = is_garbage
        self._ttl_ms = ttl_ms
        self._notice = notice
        self.stopping = False
        """Do not wait for a Redis that is away any more."""

    async def record(self, entry: OutboxEntry, answer: Answer, *, repeated: bool = False) -> None:
        """
        Record the answer; a message that another worker has sent too is taken back.

        *repeated* says that a message may have been sent before, of which no answer came.

        Raises:
            StoreUnavailable: Redis is away, and so are we soon.
        """
        if answer.unremoved:
            log.warning("messages had to stay in the chat", effect=entry.id, count=len(answer.unremoved))
        answered = answered_by(
            entry, answer, ttl_ms=self._ttl_ms, is_garbage=self._is_garbage, repeated=repeated
        )
        recorded = await self._recorded(entry.id, answered)
        self.count(entry, answer)
        if answered.garbage or answered.replaced:
            self._notice(self._scripts.keys.partition_of(entry.conversation))
        if not recorded and answer.new is not None:
            log.warning("another worker has sent this too; the second message is deleted", effect=entry.id)
            with suppress(Exception):
                bot = self._bots[entry.conversation.bot_id]
                await bot.delete_message(answer.new.chat_id, answer.new.message_id)

    def count(self, entry: OutboxEntry, answer: Answer) -> None:
        """Count what Telegram has answered, for the metrics."""
        cause = answer.cause.value if answer.cause is not None else ""
        self._scripts.counts.add("effects", entry.effect.kind.value, answer.outcome.value, cause)

    async def _recorded(self, effect_id: str, answered: Answered) -> bool:
        """Record, however long Redis is away: what Telegram has done must not be done again."""
        while True:
            try:
                return await self._scripts.record(effect_id, answered)
            except StoreUnavailable:
                if self.stopping:
                    raise
                await asyncio.sleep(STORE_PAUSE_SECONDS)


def answered_by(
    entry: OutboxEntry,
    answer: Answer,
    *,
    ttl_ms: int,
    is_garbage: Callable[[str | None], bool],
    repeated: bool = False,
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
        counts={kind.value: count for kind, count in _counts(entry, answer, repeated).items() if count},
        delivered=_delivered(entry, answer).pack(),
        told=(effect.payload["ticket"], answer.told()) if "ticket" in effect.payload else None,
    )


def _delivered(entry: OutboxEntry, answer: Answer) -> Delivered:
    cause = answer.cause.value if answer.cause is not None else None
    verb, messages = _done_to(answer)
    return Delivered(entry.effect.deed, answer.outcome.value, cause, verb, messages)


def _done_to(answer: Answer) -> tuple[str | None, Sequence[str]]:
    """Return whether messages were sent, edited or deleted, and which."""
    if answer.outcome is not Outcome.DONE:
        return None, ()
    if answer.removed:
        return "deleted", answer.removed
    if answer.new is not None:
        return "sent", [answer.new.place]
    return ("edited", [answer.shown.place]) if answer.shown is not None else (None, ())


def _counts(entry: OutboxEntry, answer: Answer, repeated: bool) -> dict[Tallied, int]:
    undone = entry.effect.kind is EffectKind.DELETE and answer.outcome is not Outcome.DONE
    left_over = entry.effect.payload["places"] if undone else ()
    return {
        Tallied.UNREMOVED: len(answer.unremoved) + len(left_over),
        Tallied.DROPPED: int(answer.outcome is Outcome.DROPPED),
        Tallied.REFUSED: int(answer.outcome is Outcome.REFUSED),
        Tallied.REPEATED: int(repeated and answer.new is not None),
    }


def _tracked(message: ShownBlock, state: str | None, block: str | None = None) -> Tracked:
    return Tracked(message.place, state, message.sent_at_ms, block)
