"""What moving conversations in and out shares: a progress bar, and the counts."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from state.foreign import Unreadable
from state.moving import MovingStore, Taken
from state.portable import Portable

#: So many things that cannot be read are named; the others are counted.
NAMED = 10


@contextmanager
def progress(what: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error, if that is a terminal; call what this yields with each advance."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=size)
        yield lambda looked_at: bar.advance(task, looked_at)


class Tally:
    """Counts what becomes of conversations that are taken in."""

    def __init__(self, title: str) -> None:
        self._title = title
        self.taken: Counter[Taken] = Counter()
        self.unreadable: list[Unreadable] = []

    async def take(
        self, store: MovingStore, found: Sequence[Portable | Unreadable], *, dry_run: bool
    ) -> None:
        """Take in what was *found*."""
        self.unreadable += [each for each in found if isinstance(each, Unreadable)]
        readable = [each for each in found if isinstance(each, Portable)]
        self.taken.update(
            await asyncio.gather(*(store.take(portable, dry_run=dry_run) for portable in readable))
        )

    def tell(self) -> None:
        """Print the counts as a table."""
        table = Table("conversations", self._title)
        for taken in Taken:
            table.add_row(taken.value, f"{self.taken[taken]:,}")
        table.add_row("unreadable", f"{len(self.unreadable):,}")
        Console().print(table)

    def complaints(self) -> list[str]:
        """Return a line for each of the first that could not be read."""
        named = [f"{each.name} {each.why}" for each in self.unreadable[:NAMED]]
        more = len(self.unreadable) - len(named)
        return named + ([f"and {more} more that cannot be read"] if more else [])
