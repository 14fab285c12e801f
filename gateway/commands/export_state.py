"""`gateway export-state`: every conversation as a line of JSON."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import uvloop
from rich.console import Console

from gateway.commands.configuration import configured
from gateway.commands.store import opened_store
from gateway.moving import progress
from gateway.refusal import FAILED, CommandRefused
from gateway.settings import Settings
from state.cluster import SCHEMES
from state.conversation import Conversation
from state.moving import MovingStore


def export_state(*, config: Path | None, to: Path | None) -> int:
    """
    Write every conversation to *to*, or to standard output; how many is told on standard error.

    Raises:
        CommandRefused: our store cannot be used, or *to* cannot be written; no half of a file is left then.
    """
    return uvloop.run(_export(configured(config), to))


async def _export(settings: Settings, to: Path | None) -> int:
    url = settings.redis.url
    if url is not None and url.get_secret_value().startswith(SCHEMES):
        # SCAN tells of one node's keys, and half an export must not look like a whole one.
        raise CommandRefused(["redis.url: a Cluster cannot be exported"])
    written: set[Conversation] = set()
    async with opened_store(settings, writes=False) as scripts:
        store = MovingStore(scripts, expires_after=settings.expiry.conversation)
        with _opened(to) as file, progress("exporting", await store.size()) as advance:
            async for looked_at, found in store.steps():
                # SCAN may find a key twice, and a file has each conversation once.
                fresh = {each.conversation: each for each in found if each.conversation not in written}
                file.writelines(each.line() for each in fresh.values())
                written |= fresh.keys()
                advance(looked_at)
    Console(stderr=True).print(f"{len(written)} conversations exported")
    return 0


@contextmanager
def _opened(to: Path | None) -> Iterator[BinaryIO]:
    if to is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError as error:
            # Whoever reads has stopped; Python would complain again when it closes the stream.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise CommandRefused(["standard output was closed before the end"], FAILED) from error
        return
    unfinished = to.with_name(f"{to.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(to)
    except OSError as error:
        raise CommandRefused([f"{to}: cannot be written ({error.strerror})"]) from error
    finally:
        unfinished.unlink(missing_ok=True)
