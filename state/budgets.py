"""How much may be sent, counted in Redis for all processes: of each bot, and to each chat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from state.conversation import Conversation
from state.grouping import Argument, Script
from state.packing import pack_for_lua
from state.scripts import Scripts

_GRANT = Script.load("grant", after=["windows"])
_OPEN = Script.load("open", after=["windows"])


@dataclass(frozen=True, slots=True)
class Limit:
    """At most *most* sends within any *span*."""

    most: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Granted:
    """So many may go now; the next one after *wait*."""

    count: int
    wait: timedelta


@dataclass(frozen=True, slots=True)
class NotYet:
    """The chat takes no more for *wait*."""

    wait: timedelta
    paused: bool = False
    """Telegram has said so."""


@dataclass(frozen=True, slots=True)
class Open:
    """It is the chat's turn."""

    quiet: bool
    """Nothing was sent to the chat lately: if there is too much, it is not this chat's."""
    shown: bytes | None
    """The effect's block, as stored."""
    moved_to: int | None = None
    """The group is this supergroup now."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The chat takes nothing from the bot."""

    why: str


class Budgets:
    """
    Every budget and every pause, by Redis's own clock.

    A pause that was set by one process holds for all.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._calls = scripts.calls
        self._keys = scripts.keys

    async def grant(self, bot_id: int, want: int, limits: Sequence[Limit]) -> Granted:
        """
        Take up to *want* sends from the bot's budget.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        names = [self._keys.bot_budget(bot_id), self._keys.bot_pause(bot_id)]
        count, wait_ms = await self._calls.script(_GRANT, names, [want, _packed(limits)])
        return Granted(int(count), timedelta(milliseconds=int(wait_ms)))

    async def open(
        self,
        conversation: Conversation,
        limits: Sequence[Limit],
        *,
        counts: bool,
        block: str,
        user_is_there: bool = False,
    ) -> Open | NotYet | Closed:
        """
        Begin an effect in the conversation's chat; *counts* says whether it is a send.

        *user_is_there* says that the effect answers what a person has just done in the chat.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        keys = self._keys
        names = [
            keys.conversation(conversation),
            keys.budget(conversation),
            keys.pause(conversation),
            keys.closed(conversation),
            keys.moved(conversation),
        ]
        arguments: list[Argument] = [block, int(counts), _packed(limits), int(user_is_there)]
        verdict, *rest = await self._calls.script(_OPEN, names, arguments)
        if verdict == b"CLOSED":
            return Closed(rest[0].decode())
        if verdict == b"WAIT":
            return NotYet(timedelta(milliseconds=int(rest[0])), bool(rest[1]))
        quiet, shown, moved_to = rest
        return Open(bool(quiet), shown or None, int(moved_to) if moved_to else None)

    async def pause_bot(self, bot_id: int, lasts: timedelta) -> None:
        """
        Grant nothing to this bot for so long.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        await self._pause(self._keys.bot_pause(bot_id), lasts)

    async def pause_chat(self, conversation: Conversation, lasts: timedelta) -> None:
        """
        Open nothing in the conversation's chat for so long.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        await self._pause(self._keys.pause(conversation), lasts)

    async def _pause(self, key: str, lasts: timedelta) -> None:
        lasts_ms = max(1, int(lasts.total_seconds() * 1000))
        await self._calls.command("SET", key, lasts_ms, "PX", lasts_ms)


def _packed(limits: Sequence[Limit]) -> bytes:
    return pack_for_lua(
        [part for limit in limits for part in (limit.most, int(limit.span.total_seconds() * 1000))]
    )
