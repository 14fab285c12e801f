"""What other libraries left in a Redis: aiogram's `RedisStorage`, and the screens of codex-bot."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiogram.fsm.storage.base import DEFAULT_DESTINY
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from state.aiogram_keys import AiogramKeys, KeyUnreadable
from state.conversation import Conversation
from state.grouping import GroupedCalls
from state.portable import Portable
from state.screen import BlockName, ShownBlock
from state.snapshot import pairs

#: Keys that one SCAN looks at.
STEP = 500

#: codex-bot's screens are hashes: `sender:user:<id>`, `sender:channel:<chat>[:<thread>]`.
#: https://github.com/CodexDLC/codex-bot/blob/main/src/codex_bot/sender/sender_keys.py
_SENDER = re.compile(r"sender:(user|channel):(-?\d+)(?::(\d+))?")
_BLOCKS: Mapping[bytes, BlockName] = {b"menu_msg_id": BlockName.MENU, b"content_msg_id": BlockName.CONTENT}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that cannot be taken, and why, in words that follow its name."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """What was found among some that were looked at."""

    looked_at: int
    found: list[Portable | Unreadable]


class ForeignStore:
    """Reads another library's conversations, a step at a time, with SCAN."""

    def __init__(self, redis: Redis, keys: AiogramKeys) -> None:
        self._calls = GroupedCalls(redis)
        self._keys = keys

    async def size(self) -> int:
        """
        Return how much there is to look at, as the steps count it.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        # Two passes: one for conversations, one for screens without.
        return 2 * int(await self._calls.command("DBSIZE"))

    async def steps(self) -> AsyncIterator[Step]:
        """
        Read everything. What its bot writes meanwhile may be missed, so stop the bot first.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        for glob, read in ((self._keys.glob, self._conversation), ("sender:*", self._screen_alone)):
            cursor = b"0"
            while True:
                cursor, names = await self._calls.command("SCAN", cursor, "MATCH", glob, "COUNT", STEP)
                keys = sorted({name.decode(errors="backslashreplace") for name in names})
                found = await asyncio.gather(*(read(key) for key in keys))
                yield Step(STEP, [each for each in found if each is not None])
                if cursor == b"0":
                    break

    async def _conversation(self, key: str) -> Portable | Unreadable | None:
        halves = self._keys.halves(key)
        if halves is None:
            return None
        try:
            conversation = self._keys.conversation(key)
            state, data, state_ms, data_ms, screen = await asyncio.gather(
                self._calls.command("GET", halves.state),
                self._calls.command("GET", halves.data),
                self._calls.command("PTTL", halves.state),
                self._calls.command("PTTL", halves.data),
                self._screen(conversation),
            )
            if data is not None and not halves.found_data:
                return None  # The key of the data, when its turn comes, brings the state along.
            return Portable(
                conversation,
                state.decode() if state is not None else None,
                _dictionary(data),
                screen,
                expires_in_ms=_expiry(state_ms, data_ms),
            )
        except UnicodeDecodeError:
            return Unreadable(key, "is not UTF-8")
        except (KeyUnreadable, ResponseError) as error:
            return Unreadable(key, _why(error))

    async def _screen_alone(self, key: str) -> Portable | Unreadable | None:
        """Return the screen of a conversation that has neither a state nor data."""
        try:
            conversation = self._shown_to(key)
            name, build = conversation.storage_key(), self._keys.builder.build
            if await self._calls.command("EXISTS", build(name, "state"), build(name, "data")):
                return None
            return Portable(conversation, screen=await self._screen(conversation))
        except (KeyUnreadable, ResponseError) as error:
            return Unreadable(key, _why(error))

    def _shown_to(self, key: str) -> Conversation:
        match = _SENDER.fullmatch(key)
        if match is None:
            raise KeyUnreadable("names no chat")
        if len(self._keys.bots) != 1:
            raise KeyUnreadable("does not say which bot's screen it is")
        chat_id, thread = int(match[2]), match[3]
        conversation = Conversation(min(self._keys.bots), chat_id, chat_id, int(thread) if thread else None)
        if self._sender_key(conversation) != key:
            raise KeyUnreadable("names no chat")
        return conversation

    def _sender_key(self, conversation: Conversation) -> str | None:
        """
        Return codex-bot's key of the conversation's screen; None: it has none.

        codex-bot shares a screen among all users of a group, and its keys name no bot.
        """
        chat_id, thread_id = conversation.chat_id, conversation.thread_id
        bare = conversation.business_connection_id is None and conversation.destiny == DEFAULT_DESTINY
        if len(self._keys.bots) != 1 or not bare or chat_id != conversation.user_id:
            return None
        if thread_id is not None:
            return f"sender:channel:{chat_id}:{thread_id}"
        return f"sender:channel:{chat_id}" if chat_id < 0 else f"sender:user:{chat_id}"

    async def _screen(self, conversation: Conversation) -> dict[str, ShownBlock]:
        key = self._sender_key(conversation)
        if key is None:
            return {}
        stored = pairs(await self._calls.command("HGETALL", key))
        # When the messages were sent is not known; 0 stands for "too long ago to be deleted".
        return {
            block.value: ShownBlock(
                conversation.chat_id, int(stored[name]), 0, thread_id=conversation.thread_id
            )
            for name, block in _BLOCKS.items()
            if stored.get(name, b"").isdigit()
        }


def _dictionary(stored: bytes | None) -> dict[str, Any]:
    if stored is None:
        return {}
    try:
        data = json.loads(stored.decode())
    except (json.JSONDecodeError, RecursionError) as error:
        raise KeyUnreadable("is not JSON") from error
    if not isinstance(data, dict):
        raise KeyUnreadable("is not a JSON object")
    return data


def _expiry(state_ms: int, data_ms: int) -> int | None:
    """Return how long the longer-lived half still lives; None: for ever. -2 is a half that is not there."""
    return None if -1 in {state_ms, data_ms} else max(state_ms, data_ms, 1)


def _why(error: Exception) -> str:
    if isinstance(error, ResponseError):
        if not str(error).startswith("WRONGTYPE"):
            raise error
        return "is of another type"
    return str(error)
