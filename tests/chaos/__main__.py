"""
`make chaos`: every scenario, one row each.

Twice and lost must be 0, and what is to be broken must have been, or the exit code is 1.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import structlog

from tests.benchmarks.report import Report
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.stage import Size, play
from tests.chaos.verdict import FAILURES

#: Nothing is broken there.
CALM: Final = "calm"

log = structlog.get_logger("chaos")


async def run(name: str, size: Size) -> dict[str, Any]:
    """Play one scenario; return its row."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        async with SCENARIOS[name](Path(directory)) as (stage, disturb):
            return {"what": name} | await play(stage, size, disturb)


def main() -> int:
    """Run what was chosen, tell it, and return 1 if any event was lost or counted twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--events", type=int, default=20, help="of each of five sources, for each user")
    parser.add_argument("--only", default="", help="scenarios whose name holds this")
    chosen = parser.parse_args()
    report = Report("chaos", "every event under trouble")
    failed = False
    for name in SCENARIOS:
        if chosen.only in name:
            try:
                row = asyncio.run(run(name, Size(chosen.users, chosen.events)))
            except Exception:
                # The others are worth knowing all the same.
                log.exception("failed", what=name)
                failed = True
                continue
            log.info("done", **row)
            if not row["disturbed"] and name != CALM:
                log.error("nothing was broken in time: more --events are needed", what=name)
                failed = True
            failed = failed or any(row[column] for column in FAILURES)
            report.row(**row)
    if report.has_rows:
        report.close(runs=1)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
