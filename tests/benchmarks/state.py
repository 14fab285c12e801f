"""State: one small draft beside other features' data, in time, bytes moved and writes that survive."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import uvloop
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import BaseStorage, DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisStorage

from gateway.embedded import EmbeddedRedis
from state import BaseStateManager, ConversationStorage
from state.connection import connect, open_client
from state.conversation import Conversation
from tests.benchmarks.memory import measure
from tests.benchmarks.report import Report
from tests.wire import metered

RUNS = 3
SIZES = {"1 KB": 1_000, "10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000}
#: Operations of one measurement, the same for every size: the first dozen after a connection are slower.
TIMES = 150
FIELD_BYTES = 100
WRITERS = (2, 10, 100)
ROUNDS = 5
CONVERSATIONS = 100_000
CONVERSATION = Conversation.private(42, 501)


class Contestant(Protocol):
    """A way to keep one feature's small draft."""

    async def update(self, **fields: Any) -> object:
        """Set fields."""

    async def get_value(self, key: str) -> object:
        """Read one field."""

    async def clear(self) -> object:
        """Remove the draft and nothing else."""


class PlainAiogram:
    """`FSMContext` as its documentation has it: one field is one key of the data."""

    def __init__(self, state: FSMContext, feature: str) -> None:
        self._state = state
        self._prefix = f"{feature}_"

    async def update(self, **fields: Any) -> object:
        """Set keys of the data."""
        return await self._state.update_data({self._prefix + name: value for name, value in fields.items()})

    async def get_value(self, key: str) -> object:
        """Read one key."""
        return await self._state.get_value(self._prefix + key)

    async def clear(self) -> None:
        """Write everything back but these keys."""
        data = await self._state.get_data()
        kept = {key: value for key, value in data.items() if not key.startswith(self._prefix)}
        await self._state.set_data(kept)


class CodexPattern:
    """codex-bot's manager in other words: a draft is one key of the data, read, changed and written back."""

    def __init__(self, state: FSMContext, feature: str) -> None:
        self._state = state
        self._key = f"draft:{feature}"

    async def _draft(self) -> dict[str, Any]:
        return dict((await self._state.get_data()).get(self._key) or {})

    async def update(self, **fields: Any) -> object:
        """Read the draft, then read all data once more and write all of it."""
        draft = await self._draft() | fields
        data = await self._state.get_data()
        await self._state.set_data(data | {self._key: draft})
        return draft

    async def get_value(self, key: str) -> object:
        """Read all data."""
        return (await self._draft()).get(key)

    async def clear(self) -> None:
        """Write everything back but this key."""
        data = await self._state.get_data()
        data.pop(self._key, None)
        await self._state.set_data(data)


Kind = Callable[[FSMContext, str], Contestant]
KINDS: Mapping[str, Kind] = {"ours": BaseStateManager, "aiogram": PlainAiogram, "codex": CodexPattern}
OPERATIONS = ("update", "get_value", "clear")


def run() -> None:
    """Measure each in turn, and again, so that a machine that drifts is unjust to none."""
    uvloop.run(_run())


async def _run() -> None:
    with tempfile.TemporaryDirectory(prefix="state-bench-") as folder:
        async with EmbeddedRedis(Path(folder)) as server:
            await _operations(server.url)
            await _survivors(server.url)
    await _memory()


@asynccontextmanager
async def _contestant(kind: str, url: str, feature: str = "small") -> AsyncIterator[Contestant]:
    storage = _storage(kind, url)
    try:
        yield KINDS[kind](FSMContext(storage, CONVERSATION.storage_key()), feature)
    finally:
        await storage.close()


def _storage(kind: str, url: str) -> BaseStorage:
    if kind == "ours":
        return ConversationStorage.from_url(url)
    return RedisStorage(open_client(url, max_connections=2), DefaultKeyBuilder(with_bot_id=True))


async def _emptied(url: str) -> None:
    redis = await connect(url)
    await redis.flushall()
    await redis.aclose()


async def _fill(kind: str, url: str, size: int) -> None:
    """Give other features so many bytes, in fields of a hundred."""
    await _emptied(url)
    async with _contestant(kind, url, "other") as other:
        await other.update(**{f"field{number}": "x" * FIELD_BYTES for number in range(size // FIELD_BYTES)})


async def _operations(url: str) -> None:
    seconds: dict[tuple[str, str, str], list[float]] = {}
    moved: dict[tuple[str, str, str], int] = {}
    for _ in range(RUNS):
        for size, size_bytes in SIZES.items():
            for kind in KINDS:
                await _fill(kind, url, size_bytes)
                async with _contestant(kind, url) as contestant:
                    for name, taken in (await _times(contestant, TIMES)).items():
                        seconds.setdefault((name, size, kind), []).append(statistics.median(taken))
                async with metered(url) as wire, _contestant(kind, wire.url) as contestant:
                    await _once(contestant)
                    for name in OPERATIONS:
                        before = wire.now
                        await _operation(contestant, name)
                        moved[name, size, kind] = sum(wire.since(before))
    report = Report("state", "one small draft beside other features' data, p50")
    for name in OPERATIONS:
        beside_least = statistics.median(seconds[name, next(iter(SIZES)), "ours"]) * 1000
        for size in SIZES:
            p50 = {kind: statistics.median(seconds[name, size, kind]) * 1000 for kind in KINDS}
            report.row(
                what=f"{name} beside {size}",
                ours_is_so_many_times_faster_than_aiogram=p50["aiogram"] / p50["ours"],
                than_codex_bots_pattern=p50["codex"] / p50["ours"],
                ours_as_multiple_of_beside_1_KB=p50["ours"] / beside_least,
                ours_ms=p50["ours"],
                aiogram_ms=p50["aiogram"],
                codex_ms=p50["codex"],
                **{f"{kind}_bytes": moved[name, size, kind] for kind in KINDS},
            )
    report.close(runs=RUNS)


async def _once(contestant: Contestant) -> None:
    """Load scripts, open the connection."""
    for name in OPERATIONS:
        await _operation(contestant, name)


def _operation(contestant: Contestant, name: str) -> Awaitable[object]:
    if name == "update":
        return contestant.update(hotel_id=7)
    return contestant.get_value("hotel_id") if name == "get_value" else contestant.clear()


async def _times(contestant: Contestant, times: int) -> dict[str, list[float]]:
    await _once(contestant)
    taken: dict[str, list[float]] = {name: [] for name in OPERATIONS}
    for _ in range(times):
        for name in OPERATIONS:
            began = time.perf_counter()
            await _operation(contestant, name)
            taken[name].append(time.perf_counter() - began)
    return taken


async def _survivors(url: str) -> None:
    report = Report("state", "writers at once, each of another feature: writes that are there afterwards")
    for writers in WRITERS:
        survived: dict[str, list[int]] = {kind: [] for kind in KINDS}
        for _ in range(ROUNDS):
            for kind in KINDS:
                await _emptied(url)
                survived[kind].append(await _write_at_once(kind, url, writers))
        report.row(
            what=f"{writers} writers",
            **{kind: statistics.median(each) for kind, each in survived.items()},
            ours_at_worst=min(survived["ours"]),
        )
    report.close(runs=ROUNDS)


async def _write_at_once(kind: str, url: str, writers: int) -> int:
    """Each writer has a connection of its own, as processes have."""
    storages = [_storage(kind, url) for _ in range(writers)]
    contestants = [
        KINDS[kind](FSMContext(storage, CONVERSATION.storage_key()), f"feature{number:03}")
        for number, storage in enumerate(storages)
    ]
    try:
        await asyncio.gather(*(each.get_value("mark") for each in contestants))
        await asyncio.gather(*(each.update(mark=1) for each in contestants))
        found = [await each.get_value("mark") for each in contestants]
    finally:
        for storage in storages:
            await storage.close()
    return found.count(1)


async def _memory() -> None:
    taken = await measure(CONVERSATIONS)
    report = Report("state", "memory of a typical conversation: state, 3 features of 5 fields, a screen")
    report.row(
        what=f"{taken.conversations:,} conversations",
        bytes_each=taken.all_bytes,
        of_which_the_hash=taken.hash_bytes,
    )
    report.close(runs=1)
