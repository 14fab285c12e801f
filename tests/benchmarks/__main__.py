"""``make bench``, or ``python -m tests.benchmarks [suite ...]``: measured in one run, told as ratios."""

import sys
from collections.abc import Callable
from importlib import import_module

#: Each suite is a module of this folder with a function `run`.
SUITES = ("callbacks", "gateway", "providers", "rest", "state")


def main(asked: list[str]) -> int:
    """Run the suites that were asked for, or all."""
    unknown = [name for name in asked if name not in SUITES]
    if unknown:
        print(f"no suite {', '.join(unknown)}; there are: {', '.join(SUITES)}", file=sys.stderr)  # noqa: T201
        return 2
    for name in asked or SUITES:
        run: Callable[[], None] = import_module(f"tests.benchmarks.{name}").run
        run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
