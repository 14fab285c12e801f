"""`gateway dead-letters`, `parked`, `unresolved`: events that are kept, to be looked at and decided on."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import orjson
from rich.console import Console
from rich.table import Table

from gateway.commands.configuration import configured
from gateway.commands.period import period
from gateway.commands.store import opened_store
from gateway.refusal import FAILED, CommandRefused
from routers.operations.kept_json import told
from state.dead_letters import DeadLetters
from state.kept import KeptEvent, NotAnId, Page, Selection
from state.outcomes import Replayed
from state.scripts import Scripts
from state.waiting_events import ParkedEvents, UnresolvedEvents

Place: TypeAlias = DeadLetters | ParkedEvents | UnresolvedEvents
T = TypeVar("T")


class Keeping(Enum):
    """Where events are kept."""

    DEAD = "dead letter"
    PARKED = "parked event"
    UNRESOLVED = "unresolved event"


_PLACES: Final[Mapping[Keeping, type[Place]]] = {
    Keeping.DEAD: DeadLetters,
    Keeping.PARKED: ParkedEvents,
    Keeping.UNRESOLVED: UnresolvedEvents,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are meant, as the command line says it."""

    source: str | None = None
    type: str | None = None
    reason: str | None = None
    older_than: str | None = None
    newer_than: str | None = None

    @property
    def nothing(self) -> bool:
        """No condition was given."""
        return self == Wanted()

    def selection(self) -> Selection:
        """
        Return what is meant.

        Raises:
            CommandRefused: a period that is none.
        """
        return Selection(
            self.source,
            self.type,
            self.reason,
            since_ms=_ago_ms(self.newer_than, "--newer-than"),
            until_ms=_ago_ms(self.older_than, "--older-than"),
        )


def show_list(
    keeping: Keeping, config: Path | None, wanted: Wanted, *, limit: int, after: str | None, as_json: bool
) -> int:
    """
    List the newest, without their bodies.

    Raises:
        CommandRefused: a wrong option, or Redis cannot be used.
    """
    selection = wanted.selection()

    async def ask(place: Place) -> Page[KeptEvent]:
        page = await place.page(selection, after=after, limit=limit)
        return Page(list(page.events), page.next_after)

    page = _asked(keeping, config, ask)
    if as_json:
        for event in page.events:
            print(orjson.dumps(told(event, body=False)).decode())  # noqa: T201 - for a pipe
        return 0
    table = Table("id", "source", "type", "since", *(["reason", "runs"] if keeping is Keeping.DEAD else []))
    for event in page.events:
        facts = told(event, body=False)
        more = [facts["reason"], str(facts["attempts"])] if keeping is Keeping.DEAD else []
        table.add_row(event.id, event.envelope.source, event.envelope.type, facts["kept_since"][:19], *more)
    console = Console()
    console.print(table)
    if page.next_after is not None:
        console.print(f"There are more: --after {page.next_after}", markup=False)
    return 0


def show(keeping: Keeping, config: Path | None, event_id: str) -> int:
    """
    Print all that is known of one event as JSON.

    Raises:
        CommandRefused: there is no such event, or Redis cannot be used.
    """
    event = _asked(keeping, config, lambda place: _got(place, event_id))
    if event is None:
        raise CommandRefused([f"there is no {keeping.value} {event_id}"], FAILED)
    print(orjson.dumps(told(event, body=True), option=orjson.OPT_INDENT_2).decode())  # noqa: T201 - for a pipe
    return 0


def replay(config: Path | None, event_id: str | None, wanted: Wanted, *, every: bool, dry_run: bool) -> int:
    """
    Move dead letters back to the inbox: one, those that are wanted, or all.

    Raises:
        CommandRefused: it is not said which, there is none, or Redis cannot be used.
    """
    if event_id is not None:
        if every or dry_run or not wanted.nothing:
            raise CommandRefused(["give an ID, or conditions, or --all"])
        outcome = _asked(Keeping.DEAD, config, lambda place: _replay_one(place, event_id))
        if outcome is not Replayed.REPLAYED:
            raise CommandRefused([_WHY_NOT[outcome].format(event_id)], FAILED)
        print(f"{event_id} is in the inbox again")  # noqa: T201 - the command's answer
        return 0
    if every == (not wanted.nothing):
        raise CommandRefused(
            ["say which: an ID, --source, --type, --reason, --older-than, --newer-than, or --all"]
        )
    selection = wanted.selection()
    counts = _asked(Keeping.DEAD, config, lambda place: _replay_all(place, selection, dry_run=dry_run))
    done = counts.get(Replayed.REPLAYED, 0)
    print(f"{done} would be replayed" if dry_run else f"{done} replayed")  # noqa: T201 - the command's answer
    if stayed := counts.get(Replayed.HOMELESS, 0):
        print(f"{stayed} stay: nobody knows their conversation")  # noqa: T201 - the command's answer
    return 0


def look_again(config: Path | None, event_id: str) -> int:
    """
    Have a parked event looked at again.

    Raises:
        CommandRefused: it is not parked, or Redis cannot be used.
    """

    async def ask(place: Place) -> bool:
        return isinstance(place, ParkedEvents) and await place.replay(event_id)

    if not _asked(Keeping.PARKED, config, ask):
        raise CommandRefused([f"there is no {Keeping.PARKED.value} {event_id}"], FAILED)
    print(f"{event_id} is looked at again")  # noqa: T201 - the command's answer
    return 0


def discard(keeping: Keeping, config: Path | None, event_id: str) -> int:
    """
    Delete a dead letter, or make one of an event that waits.

    Raises:
        CommandRefused: there is no such event, or Redis cannot be used.
    """
    if not _asked(keeping, config, lambda place: place.discard(event_id)):
        raise CommandRefused([f"there is no {keeping.value} {event_id}"], FAILED)
    what = "is deleted" if keeping is Keeping.DEAD else "is a dead letter now"
    print(f"{event_id} {what}")  # noqa: T201 - the command's answer
    return 0


_WHY_NOT: Final = {
    Replayed.GONE: "there is no dead letter {}",
    Replayed.HOMELESS: "{} cannot be replayed: its conversation is not known, or it was for a subscriber",
}


async def _got(place: Place, event_id: str) -> KeptEvent | None:
    return await place.get(event_id)


async def _replay_one(place: Place, event_id: str) -> Replayed:
    return await place.replay(event_id) if isinstance(place, DeadLetters) else Replayed.GONE


async def _replay_all(place: Place, selection: Selection, *, dry_run: bool) -> Mapping[Replayed, int]:
    return await place.replay_all(selection, dry_run=dry_run) if isinstance(place, DeadLetters) else {}


def _asked(keeping: Keeping, config: Path | None, ask: Callable[[Place], Awaitable[T]]) -> T:
    settings = configured(config)

    async def run() -> T:
        async with opened_store(settings) as scripts:
            return await ask(_place(keeping, scripts))

    try:
        return asyncio.run(run())
    except NotAnId as error:
        raise CommandRefused([str(error)]) from error


def _place(keeping: Keeping, scripts: Scripts) -> Place:
    return _PLACES[keeping](scripts)


def _ago_ms(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    return time.time_ns() // 1_000_000 - int(period(text, option=option).total_seconds() * 1000)
