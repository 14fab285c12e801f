"""Reading one conversation: whole, by need, or one draft of it."""

from collections.abc import Sequence

from state.conversation import Conversation
from state.grouping import Argument, GroupedCalls, Script
from state.keys import Keys
from state.snapshot import Fields, Needs, Snapshot, pairs

_READ = Script.load("read", after=["clock", "fields", "snapshot"])
_DRAFT = Script.load("draft", after=["clock", "fields"])


class Reading:
    """Each method is one round trip, so what it answers was true in one moment."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def begin(self, conversation: Conversation) -> Snapshot:
        """Read what a handler needs at once: all of a small conversation, the state of a large one."""
        return await self._read(conversation, ["START"])

    async def read(self, conversation: Conversation, needs: Needs | None = None) -> Snapshot:
        """Read the whole conversation, or what *needs* names of it."""
        if needs is None:
            return await self._read(conversation, ["ALL"])
        marked = ["f" + feature for feature in needs.features] + ["=" + name for name in needs.fields]
        marked += [f"~{ttl_ms}:{feature}" for feature, ttl_ms in needs.keep.items()]
        return await self._read(conversation, ["NEED", *marked])

    async def _read(self, conversation: Conversation, arguments: Sequence[Argument]) -> Snapshot:
        names = [self._keys.conversation(conversation)]
        return Snapshot.read(*await self._calls.script(_READ, names, arguments))

    async def fields(self, conversation: Conversation, *names: str) -> Sequence[bytes | None]:
        """Read single fields as they are stored, whether or not their draft has expired."""
        key = self._keys.conversation(conversation)
        stored: Sequence[bytes | None] = await self._calls.command("HMGET", key, *names)
        return stored

    async def draft(self, conversation: Conversation, feature: str, ttl_ms: int | None = None) -> Fields:
        """Read one feature's draft; it lives *ttl_ms* longer for that, None: no longer."""
        arguments: list[Argument] = [feature, "" if ttl_ms is None else ttl_ms]
        return pairs(await self._calls.script(_DRAFT, [self._keys.conversation(conversation)], arguments))
