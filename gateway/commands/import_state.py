"""`gateway import-state`: the conversations of another library's Redis, or of a file, into ours."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import uvloop
from aiogram.fsm.storage.base import DefaultKeyBuilder

from gateway.commands.configuration import configured
from gateway.commands.store import opened_store
from gateway.moving import Tally, progress
from gateway.refusal import FAILED, CommandRefused
from gateway.settings import Settings
from state.aiogram_keys import AiogramKeys, KeyOptionsUnusable
from state.connection import open_client
from state.errors import StoreMisconfigured, StoreUnavailable
from state.foreign import ForeignStore, Step
from state.moving import MovingStore
from state.portable import LineUnreadable, Portable

#: Lines taken in at once.
STEP = 200
_REDIS = ("redis://", "rediss://", "unix://")


def import_state(
    source: str, *, config: Path | None, builder: DefaultKeyBuilder, bot_id: int | None, dry_run: bool
) -> int:
    """
    Take in what is at *source*: a Redis, a file of `gateway export-state`, or ``-``, which is standard input.

    *builder* says how keys there are made, *bot_id* whose they are if they do not say. What we have stays.

    Raises:
        CommandRefused: *source* or our own store cannot be used, or something at *source* is unreadable.
    """
    settings = configured(config)
    if source.startswith(_REDIS):
        return uvloop.run(_from_redis(source, settings, _keys(builder, settings, bot_id), dry_run=dry_run))
    return uvloop.run(_from_file(source, settings, dry_run=dry_run))


def _keys(builder: DefaultKeyBuilder, settings: Settings, bot_id: int | None) -> AiogramKeys:
    bots = {bot.bot_id for bot in settings.telegram.bots.values()} if bot_id is None else {bot_id}
    try:
        return AiogramKeys(builder, bots)
    except KeyOptionsUnusable as error:
        raise CommandRefused([f"import-state: {error} (--bot, --with-bot-id, --separator)"]) from error


async def _from_redis(source: str, settings: Settings, keys: AiogramKeys, *, dry_run: bool) -> int:
    async with AsyncExitStack() as opened:
        try:
            client = open_client(source)
        except StoreMisconfigured as error:
            raise CommandRefused(["--from: must begin with redis://, rediss:// or unix://"]) from error
        opened.push_async_callback(client.aclose)
        foreign = ForeignStore(client, keys)
        try:
            size = await foreign.size()
        except StoreUnavailable as error:
            raise CommandRefused([f"--from: {error.reason}"], FAILED) from error
        return await _take(foreign.steps(), size, settings, dry_run=dry_run)


async def _from_file(source: str, settings: Settings, *, dry_run: bool) -> int:
    with _opened(source) as (file, size):
        return await _take(_lines(file, source), size, settings, dry_run=dry_run)


@contextmanager
def _opened(source: str) -> Iterator[tuple[BinaryIO, int | None]]:
    if source == "-":
        yield sys.stdin.buffer, None
        return
    path = Path(source)
    try:
        file = path.open("rb")
    except OSError as error:
        raise CommandRefused([f"{source}: cannot be read ({error.strerror})"]) from error
    with file:
        yield file, path.stat().st_size


async def _lines(file: BinaryIO, name: str) -> AsyncIterator[Step]:
    found: list[Portable] = []
    looked_at = 0
    for number, line in enumerate(file, start=1):
        looked_at += len(line)
        if line.strip():
            try:
                found.append(Portable.read(line))
            except LineUnreadable as error:
                raise CommandRefused([f"{name}: line {number}: {error}"]) from error
        if len(found) == STEP:
            yield Step(looked_at, list(found))
            found, looked_at = [], 0
    yield Step(looked_at, list(found))


async def _take(steps: AsyncIterator[Step], size: int | None, settings: Settings, *, dry_run: bool) -> int:
    tally = Tally("would be imported" if dry_run else "imported")
    async with opened_store(settings, writes=not dry_run) as scripts:
        store = MovingStore(scripts, expires_after=settings.expiry.conversation)
        try:
            with progress("importing", size) as advance:
                async for step in steps:
                    await tally.take(store, step.found, dry_run=dry_run)
                    advance(step.looked_at)
        finally:
            tally.tell()
    if tally.unreadable:
        raise CommandRefused(tally.complaints(), FAILED)
    return 0
