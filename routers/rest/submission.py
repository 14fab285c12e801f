"""A service's event on its way into the inbox."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from routers.events.message import Malformed, Message, tell
from routers.problems import Problem, Rejected
from routers.rest.api import Api
from routers.rest.caller import Caller, forbidden
from routers.rest.nesting import is_shallow
from state.envelope import Envelope
from state.history import event_id
from state.inbox import Inbox
from state.standings import KEEP_OUTCOMES

KEY_REUSED: Final = Problem(
    "idempotency-key-reused",
    422,
    "The idempotency key has come with another body before",
    "A key stands for one event. Send the new event under a new one.",
)
_NESTED: Final = "is nested too deeply"


def invalid_event(malformed: Malformed) -> Problem:
    """The event cannot be understood; each place and the rule that it breaks."""
    errors = [{"pointer": fault.pointer, "problem": fault.problem} for fault in malformed.faults]
    return Problem("invalid-event", 422, "The event is not valid", extra={"errors": errors})


@dataclass(frozen=True, slots=True)
class Submission:
    """One event of a caller, understood and not stored yet."""

    envelope: Envelope
    keyed: bool
    """The caller has chosen the idempotency key."""

    @classmethod
    def of(cls, message: Message, caller: Caller, api: Api, now: datetime) -> "Submission":
        """
        Return what *message* is to store.

        Raises:
            Rejected: it cannot be understood, names a scene or a bot that there is not, or is not the
                caller's to send.
        """
        if not is_shallow(message.payload):
            raise Rejected(invalid_event(Malformed.at("/payload", _NESTED)))
        scene = message.meta.next_scene
        if scene is not None and scene not in api.scenes.names:
            unknown = Malformed.at("/meta/__next_scene__", "no feature of this name has a scene")
            raise Rejected(invalid_event(unknown))
        if caller.bots and message.meta.token is not None:
            raise Rejected(forbidden("A key for certain bots names the user, not a token."))
        try:
            told = tell(
                message, source=caller.source, key=secrets.token_hex(16), bots=api.bots_by_any_name, now=now
            )
        except Malformed as malformed:
            raise Rejected(invalid_event(malformed)) from None
        conversation = told.conversation
        if conversation is not None:
            caller.require_bot(conversation.bot_id)
            conversation = api.conversation(
                conversation.bot_id,
                conversation.user_id,
                conversation.chat_id,
                conversation.thread_id,
                conversation.business_connection_id,
            )
        envelope = Envelope(
            caller.source,
            told.event.type,
            told.idempotency_key,
            int(now.timestamp() * 1000),
            message.encode(),
            told.event.encode(),
            conversation,
            told.token,
        )
        return cls(envelope, message.meta.id is not None)

    async def store(self, inbox: Inbox, api: Api) -> str:
        """
        Put it in the inbox, once under its key, and return the event's id.

        Raises:
            Rejected: the key has come with another body before.
            StoreUnavailable: Redis did not take it.
        """
        envelope = self.envelope
        if self.keyed and not await api.idempotency.fits(
            envelope.source, envelope.idempotency_key, envelope.body, remember_for=KEEP_OUTCOMES
        ):
            raise Rejected(KEY_REUSED)
        receipt = await inbox.take(envelope, remember_for=KEEP_OUTCOMES)
        return event_id(receipt.partition, receipt.entry_id)


def with_key(message: Message, key: str | None) -> Message:
    """Return *message* under the idempotency key *key*; None: under its own."""
    if key is None:
        return message
    return message.model_copy(update={"meta": message.meta.model_copy(update={"id": key})})
