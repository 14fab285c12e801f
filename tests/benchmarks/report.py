"""Where figures go: a table for people, a JSON object a row for machines."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

FOLDER = Path(".bench")
Kind = TypeVar("Kind")
PACKAGES = ("aiogram", "fastapi", "hiredis", "redis", "uvicorn")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "versions": {name: version(name) for name in PACKAGES},
    }


def medians(runs: Mapping[Kind, Sequence[Mapping[str, float]]]) -> dict[Kind, dict[str, float]]:
    """Return each kind's figures, every one the median of its runs."""
    return {
        kind: {name: statistics.median(run[name] for run in of_kind) for name in of_kind[0]}
        for kind, of_kind in runs.items()
    }


class Report:
    """The rows of one suite; ratios belong in the first columns."""

    def __init__(self, suite: str, title: str) -> None:
        self._suite = suite
        self._title = title
        self._rows: list[dict[str, Any]] = []

    def row(self, **figures: Any) -> None:
        """Add one row; every row has the same columns, and None where a figure does not apply."""
        self._rows.append(figures)

    @property
    def has_rows(self) -> bool:
        """There is something to show."""
        return bool(self._rows)

    def close(self, *, runs: int) -> None:
        """Print the table and append the rows to ``.bench/<suite>.jsonl``."""
        table = Table(title=f"{self._title} ({runs} runs, medians)")
        for column in self._rows[0]:
            table.add_column(column.replace("_", " "), justify="left" if column == "what" else "right")
        for row in self._rows:
            table.add_row(*(_written(value) for value in row.values()))
        Console(width=160).print(table)
        FOLDER.mkdir(exist_ok=True)
        about = {"suite": self._suite, "table": self._title, "runs": runs, "machine": machine()}
        with (FOLDER / f"{self._suite}.jsonl").open("a") as file:
            for row in self._rows:
                file.write(json.dumps(about | row) + "\n")


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
