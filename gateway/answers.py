"""What Telegram can answer to one effect, told apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from aiogram.exceptions import (
    RestartingTelegram,
    TelegramAPIError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from state.packing import pack, unpack
from state.screen import ShownBlock

#: After Telegram failed or did not answer.
FAILURE_PAUSE = timedelta(seconds=1)
#: After Telegram restarted, as its own retry_after says: https://github.com/tdlib/telegram-bot-api (Query.h)
RESTART_PAUSE = timedelta(seconds=5)


class Outcome(Enum):
    """What became of one effect at Telegram."""

    DONE = "done"
    """The chat is as it should be."""
    LATER = "later"
    """Not now; the same effect is tried again after the pause."""
    REFUSED = "refused"
    """Telegram will never do it: the user has blocked the bot, the chat is gone, the call is wrong."""
    DROPPED = "dropped"
    """It was not tried: the chat is known to take nothing from the bot."""


class Cause(Enum):
    """Why Telegram did not simply do it."""

    SUPERSEDED = "superseded"
    """A newer view of the same block has taken its place."""
    NOT_MODIFIED = "not_modified"
    """The message is what it should be already."""
    TARGET_MISSING = "target_missing"
    """The message is not in the chat any more."""
    CANNOT_EDIT = "cannot_edit"
    """The message is of another kind, or was not sent by the bot, or is too old."""
    CANNOT_DELETE = "cannot_delete"
    """The message is older than 48 hours, or not the bot's to delete."""
    TOO_MANY = "too_many"
    """429: this chat, or the whole bot, sends too much."""
    BLOCKED = "blocked"
    """The user has blocked the bot."""
    DEACTIVATED = "deactivated"
    """The user's account is gone."""
    CHAT_GONE = "chat_gone"
    """No such chat, or the bot is not in it, or may not write there."""
    MIGRATED = "migrated"
    """The group is a supergroup now, under another id."""
    QUERY_EXPIRED = "query_expired"
    """The pressed button waits no longer for its answer."""
    ALREADY_REFUNDED = "already_refunded"
    """The Stars went back before: an earlier call had done it."""
    AMBIGUOUS = "ambiguous"
    """The call went out and no answer came: it may have been done."""
    UNREACHED = "unreached"
    """The call did not reach Telegram."""
    SERVER = "server"
    """Telegram failed."""
    UNAUTHORIZED = "unauthorized"
    """The bot's token is not valid now."""
    WRONG = "wrong"
    """The call itself is wrong: markup, length, a file that does not exist."""


_KINDS: Mapping[type[TelegramAPIError], Cause] = {
    TelegramRetryAfter: Cause.TOO_MANY,
    TelegramMigrateToChat: Cause.MIGRATED,
    TelegramUnauthorizedError: Cause.UNAUTHORIZED,
    TelegramServerError: Cause.SERVER,
    # aiogram counts it among the network's failures, but the same file will be as large the next time.
    TelegramEntityTooLarge: Cause.WRONG,
}
#: Telegram's own words, since its error codes do not tell these apart: https://github.com/tdlib/telegram-bot-api
#: (Client.cpp) and https://github.com/tdlib/td (MessagesManager.cpp), without regard to case.
_WORDS: tuple[tuple[str, Cause], ...] = (
    ("message is not modified", Cause.NOT_MODIFIED),
    ("message to edit not found", Cause.TARGET_MISSING),
    ("message to delete not found", Cause.TARGET_MISSING),
    ("message_id_invalid", Cause.TARGET_MISSING),
    ("message can't be edited", Cause.CANNOT_EDIT),
    ("there is no text in the message to edit", Cause.CANNOT_EDIT),
    ("there is no caption in the message to edit", Cause.CANNOT_EDIT),
    ("there is no media in the message to edit", Cause.CANNOT_EDIT),
    ("message can't be deleted", Cause.CANNOT_DELETE),
    ("message_delete_forbidden", Cause.CANNOT_DELETE),
    ("bot was blocked by the user", Cause.BLOCKED),
    ("user is deactivated", Cause.DEACTIVATED),
    ("chat not found", Cause.CHAT_GONE),
    ("peer_id_invalid", Cause.CHAT_GONE),
    ("chat_write_forbidden", Cause.CHAT_GONE),
    ("not enough rights to send text", Cause.CHAT_GONE),
    ("business_connection", Cause.CHAT_GONE),
    ("query is too old", Cause.QUERY_EXPIRED),
    ("charge_already_refunded", Cause.ALREADY_REFUNDED),
)
#: After these the chat takes nothing from the bot, until `my_chat_member` says otherwise.
CHAT_CLOSED = frozenset({Cause.BLOCKED, Cause.DEACTIVATED, Cause.CHAT_GONE})
#: Of these, a message that should have been edited is sent anew instead.
EDIT_IMPOSSIBLE = frozenset({Cause.TARGET_MISSING, Cause.CANNOT_EDIT})
_PASSING = frozenset({Cause.AMBIGUOUS, Cause.UNREACHED, Cause.SERVER, Cause.UNAUTHORIZED})


@dataclass(frozen=True, slots=True)
class Answer:
    """Telegram's answer to one effect, and what the effect has left in the chat."""

    outcome: Outcome
    cause: Cause | None = None
    """What stood in the way, even if it was got round."""
    pause: timedelta = timedelta(0)
    """With LATER: how long to wait."""
    reason: str = ""
    """Telegram's words."""
    migrated_to: int | None = None
    """With MIGRATED: the supergroup's id."""
    uncertain: bool = False
    """With LATER: a message may have been sent all the same, and nobody knows its id."""
    new: ShownBlock | None = None
    """The message that was sent."""
    shown: ShownBlock | None = None
    """The effect's block as it stands now; None: as before."""
    replaced: ShownBlock | None = None
    """The block's message before, which has to go."""
    removed: tuple[str, ...] = ()
    """Places of messages that have gone."""
    unremoved: tuple[str, ...] = ()
    """Places of messages that are still in the chat, though they should have gone."""

    def told(self) -> bytes:
        """Return it in the words that whoever waits for it reads."""
        return pack((self.outcome.value, self.cause.value if self.cause else None, self.reason))

    @classmethod
    def of_told(cls, told: bytes) -> "Answer":
        outcome, cause, reason = unpack(told)
        return cls(Outcome(outcome), Cause(cause) if cause else None, reason=reason)


def cause_of(error: TelegramAPIError) -> Cause:
    """Return what *error* means."""
    for kind, cause in _KINDS.items():
        if isinstance(error, kind):
            return cause
    if isinstance(error, TelegramNetworkError):
        # aiogram begins the message with the name of aiohttp's exception.
        return Cause.UNREACHED if "ClientConnector" in error.message else Cause.AMBIGUOUS
    words = error.message.lower()
    for said, cause in _WORDS:
        if said in words:
            return cause
    return Cause.CHAT_GONE if isinstance(error, TelegramForbiddenError) else Cause.WRONG


def answer_of(error: TelegramAPIError) -> Answer:
    """Return what *error* means for the effect that met it."""
    cause = cause_of(error)
    if isinstance(error, TelegramRetryAfter):
        return Answer(Outcome.LATER, cause, timedelta(seconds=error.retry_after), error.message)
    if isinstance(error, TelegramMigrateToChat):
        return Answer(Outcome.REFUSED, cause, reason=error.message, migrated_to=error.migrate_to_chat_id)
    if cause in _PASSING:
        pause = RESTART_PAUSE if isinstance(error, RestartingTelegram) else FAILURE_PAUSE
        return Answer(Outcome.LATER, cause, pause, error.message)
    if cause in (Cause.NOT_MODIFIED, Cause.TARGET_MISSING, Cause.ALREADY_REFUNDED):
        return Answer(Outcome.DONE, cause, reason=error.message)
    return Answer(Outcome.REFUSED, cause, reason=error.message)
