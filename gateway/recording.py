"""What is to be recorded of Telegram's answer to an effect."""

from collections.abc import Callable

from gateway.answers import Answer, Outcome
from state.feed import Delivered
from state.outbox import EffectKind, OutboxEntry
from state.screen import BlockName, ShownBlock
from state.scripts import Answered, Tracked
from state.tally import Tallied


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
        counts={kind.value: count for kind, count in _counts(answer, repeated).items() if count},
        delivered=_delivered(entry, answer).pack(),
        told=(effect.payload["ticket"], answer.told()) if "ticket" in effect.payload else None,
    )


def _delivered(entry: OutboxEntry, answer: Answer) -> Delivered:
    message = answer.new or answer.shown
    cause = answer.cause.value if answer.cause is not None else None
    return Delivered(entry.effect.deed, answer.outcome.value, cause, message.place if message else None)


def _counts(answer: Answer, repeated: bool) -> dict[Tallied, int]:
    return {
        Tallied.UNREMOVED: len(answer.unremoved),
        Tallied.DROPPED: int(answer.outcome is Outcome.DROPPED),
        Tallied.REFUSED: int(answer.outcome is Outcome.REFUSED),
        Tallied.REPEATED: int(repeated and answer.new is not None),
    }


def _tracked(message: ShownBlock, state: str | None, block: str | None = None) -> Tracked:
    return Tracked(message.place, state, message.sent_at_ms, block)
