"""
Groups that have become supergroups: what belonged to the old id goes to the new one.

Telegram gives a group a new id when it becomes a supergroup, and says so in either chat, or in a refusal:
https://core.telegram.org/bots/api#message (``migrate_to_chat_id``, ``migrate_from_chat_id``),
https://core.telegram.org/bots/api#responseparameters
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from state.conversation import Conversation
from state.directory import Directory
from state.grouping import Argument, Script
from state.inbox_entry import InboxEntry
from state.packing import pack_for_lua
from state.scripts import Scripts
from state.snapshot import pairs
from state.standings import KEEP_OUTCOMES

_PACK_UP: Final = Script.load("pack_up", after=["timers", "states"])
_UNPACK: Final = Script.load("unpack_parcel", after=["clock", "timers", "states"])
_END: Final = Script.load("end_parcel")
_FORWARD: Final = Script.load("forward")


@dataclass(frozen=True, slots=True)
class Home:
    """Where a conversation is kept now."""

    conversation: Conversation
    former: Conversation | None = None
    """The same under the id of the group that the supergroup was."""


class Migrations:
    """
    Moves conversations from a group's id to its supergroup's.

    The ids lie in two partitions, so a conversation goes as a parcel: packed in one script, unpacked in
    another, then forgotten. Whoever dies in between leaves the parcel, and the next one to ask delivers it.
    What was used under the new id already is never overwritten.
    """

    def __init__(self, scripts: Scripts, *, remember_for: timedelta) -> None:
        """*remember_for* is how long a conversation lives: for as long something may be left to move."""
        self._scripts = scripts
        self._calls = scripts.calls
        self._keys = scripts.keys
        self._remember_ms = int(remember_for.total_seconds() * 1000)

    async def note(self, bot_id: int, group: int, supergroup: int) -> None:
        """
        Learn that *group* is *supergroup* now, and move its conversations that are in a state.

        The others are moved when they are next asked for. Doing it twice changes nothing.

        Raises:
            StoreUnavailable: Redis did not answer; another call goes on.
        """
        old, new = Conversation(bot_id, group, group), Conversation(bot_id, supergroup, supergroup)
        # In this order: whoever learns where to go must find there where it came from.
        await self._calls.command("SET", self._keys.was(new), group, "PX", self._remember_ms)
        await self._calls.command("SET", self._keys.moved(old), supergroup, "PX", self._remember_ms)
        directory = Directory(self._calls, self._keys)
        found = await directory.of_chat(bot_id, group)
        await asyncio.gather(*(self._carry(each, _under(each, supergroup)) for each in found))

    async def home(self, conversation: Conversation) -> Home:
        """
        Return where *conversation* is kept, having moved there what its group has left.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        if conversation.chat_id >= 0:
            return Home(conversation)
        names = self._keys.moved(conversation), self._keys.was(conversation)
        moved, was = await self._calls.command("MGET", *names)
        if moved is not None:
            former, home = conversation, _under(conversation, int(moved))
        elif was is not None:
            former, home = _under(conversation, int(was)), conversation
        else:
            return Home(conversation)
        await self._carry(former, home)
        return Home(home, former)

    async def _carry(self, former: Conversation, home: Conversation) -> None:
        while parcel := await self._pack_up(former):
            await self._unpack(parcel, home)
            await self._calls.script(_END, [self._keys.parcel(former)], [_sha_of(parcel)])

    async def _pack_up(self, former: Conversation) -> bytes:
        keys, partition = self._keys, self._keys.partition_of(former)
        names = [
            keys.conversation(former),
            keys.garbage(former),
            keys.history(former),
            keys.timers(partition),
            keys.timers_of(former),
            keys.states(partition),
            keys.states_until(partition),
            keys.parked(partition),
            keys.parked_of(former),
            keys.parcel(former),
            keys.lease(partition),
            keys.inbox(partition),
        ]
        bot, chat = former.bot_id, former.chat_id
        parcel: bytes = await self._calls.script(
            _PACK_UP, names, [former.encode(), bot, chat, self._remember_ms, keys.wake_channel("")]
        )
        return parcel

    async def _unpack(self, parcel: bytes, home: Conversation) -> None:
        keys, partition = self._keys, self._keys.partition_of(home)
        names = [
            keys.conversation(home),
            keys.garbage(home),
            keys.history(home),
            keys.timers(partition),
            keys.timers_of(home),
            keys.states(partition),
            keys.states_until(partition),
            keys.lease(partition),
            keys.inbox(partition),
            keys.unpacked(home, _sha_of(parcel)),
        ]
        arguments: list[Argument] = [parcel, home.encode(), home.bot_id, keys.wake_channel("")]
        await self._calls.script(_UNPACK, names, [*arguments, self._remember_ms])

    async def journal_of(self, entry: InboxEntry) -> dict[str, bytes]:
        """
        Return what came of the calls that the runs of *entry* have made.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        recorded = await self._calls.command("HGETALL", self._keys.journal(entry.partition, entry.id))
        return {call.decode(): result for call, result in pairs(recorded).items()}

    async def forward(self, entry: InboxEntry, home: Conversation, journal: Mapping[str, bytes]) -> str:
        """
        Owe *home* what the inbox owes its group, and return the event's id there; *journal* goes with it.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        keys, partition, envelope = self._keys, self._keys.partition_of(home), entry.envelope
        names = [
            keys.seen(partition, envelope.source, envelope.idempotency_key),
            keys.inbox(partition),
            keys.lease(partition),
        ]
        called = [part for call in journal.items() for part in call]
        entry_id = await self._calls.script(
            _FORWARD,
            names,
            [
                envelope.pack(),
                home.encode(),
                entry.expectation.pack() if entry.expectation is not None else b"",
                pack_for_lua(called) if called else b"",
                int(KEEP_OUTCOMES.total_seconds() * 1000),
                keys.wake_channel(""),
            ],
        )
        return f"{partition:02x}-{entry_id.decode()}"


def _sha_of(parcel: bytes) -> str:
    return hashlib.sha1(parcel, usedforsecurity=False).hexdigest()


def _under(conversation: Conversation, chat_id: int) -> Conversation:
    """Return *conversation* in the chat *chat_id*; a strategy by chat has the chat's id for the user's."""
    of_chat = conversation.user_id == conversation.chat_id
    return conversation._replace(chat_id=chat_id, user_id=chat_id if of_chat else conversation.user_id)
