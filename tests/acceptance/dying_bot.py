"""A bot whose handlers take their whole process with them."""

import os
import signal
from pathlib import Path

from aiogram import F
from aiogram.types import Message

from gateway import Director, Feature, Gateway, View
from tests.waiting import wait_until

dying = Feature("dying")

#: Where runs are noted, one line each: a process that dies by SIGKILL keeps nothing else.
RUNS = "GATEWAY_TEST_RUNS"


def note(run: str) -> int:
    """Note one run; return how often this one began so far."""
    with Path(os.environ[RUNS]).open("a", encoding="utf-8") as runs:
        runs.write(run + "\n")
    return noted().count(run)


def noted() -> list[str]:
    """Return what was noted so far."""
    return Path(os.environ[RUNS]).read_text(encoding="utf-8").splitlines()


@dying.chat.message(F.text == "once")
async def die_once(message: Message) -> None:
    """Send two messages and die; the second run sends a third."""
    await message.answer("first")
    await message.answer("second")
    if note("once") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    await message.answer("third")


@dying.chat.message(F.text == "poison")
async def die(message: Message) -> None:
    """Send a message and die, each time."""
    await message.answer("swallowed")
    note("poison")
    os._exit(1)


@dying.chat.message(F.text == "slow")
async def be_slow(message: Message, director: Director) -> View:
    """The first run lasts until somebody notes its end, or it is cancelled; others are over at once."""
    run = note("slow")
    try:
        await wait_until(lambda: run > 1 or "enough" in noted(), description="it is enough", seconds=120)
    finally:
        if run == 1:
            note("slow no more")
    await director.state.update_data(run=run)
    await message.answer("at last")
    return View(content=f"run {run}")


@dying.chat.message(F.text)
async def live(message: Message) -> View:
    """Answer whatever else is said."""
    return View(content=f"{message.text}!")


gateway = Gateway(dying)
