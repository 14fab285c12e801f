"""How many updates a core handles, and what each costs."""

import time
from collections.abc import Sequence
from typing import Final

from tests.benchmarks.gateway.served import HEADERS, serving, update
from tests.benchmarks.load import Load, send
from tests.benchmarks.report import Report, medians
from tests.benchmarks.servers import ACCEPTING, COMPARED, CROWDED

RUNS: Final = 3
WARM_UP: Final = 200
UPDATES: Final = 3000
USERS: Final = 500
AT_ONCE: Final = 40


async def measure(redis_url: str) -> None:
    """Print the tables. Whoever only accepts has no figures of what is committed."""
    what = f"{UPDATES} updates of {USERS} users, {AT_ONCE} at once, one core"
    await _compare(redis_url, (*COMPARED, *ACCEPTING), what)
    await _compare(redis_url, tuple(CROWDED), f"{what}; the last handler of fifty-one takes them")


async def _compare(redis_url: str, kinds: Sequence[str], what: str) -> None:
    """Measure *kinds* in turn, and again; the first one is what the others are compared with."""
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(RUNS):
        for kind in kinds:
            runs[kind].append(await one(kind, redis_url))
    figures = medians(runs)
    ours = figures[kinds[0]]
    report = Report("gateway", what)
    for kind, of_kind in figures.items():
        handles = kind not in ACCEPTING
        report.row(
            what=kind,
            ours_is_so_many_times_committed=ours["committed"] / of_kind["committed"] if handles else None,
            ours_is_so_many_times_acknowledged=ours["acknowledged"] / of_kind["acknowledged"],
            lost=int(of_kind["lost"]) if handles else None,
            committed_per_second=of_kind["committed"] if handles else None,
            acknowledged_per_second=of_kind["acknowledged"],
            p50_ms=of_kind["p50_ms"],
            p99_ms=of_kind["p99_ms"],
            core_seconds_per_1000=of_kind["core_seconds"],
        )
    report.close(runs=RUNS)


async def one(kind: str, redis_url: str) -> dict[str, float]:
    """Send all updates to one server, and return its figures."""
    users = range(1, USERS + 1)
    async with serving(kind, redis_url) as served:
        warm_up = [update(number, number % USERS + 1) for number in range(WARM_UP)]
        await send(served.port, served.path, HEADERS, warm_up, AT_ONCE)
        await served.committed(WARM_UP, users)
        cpu = served.cpu_seconds
        bodies = [update(1000 + number, number % USERS + 1) for number in range(UPDATES)]
        began = time.perf_counter()
        load: Load = await send(served.port, served.path, HEADERS, bodies, AT_ONCE)
        ended, lost = await served.committed(WARM_UP + UPDATES, users)
        return {
            "acknowledged": load.answered / load.seconds,
            "committed": (UPDATES - lost) / (ended - began),
            "lost": lost,
            "p50_ms": load.percentile(0.5),
            "p99_ms": load.percentile(0.99),
            "core_seconds": (served.cpu_seconds - cpu) / UPDATES * 1000,
        }
