"""A process of the group that ends before it is ready, and says so where the test finds it."""

import os
import sys
from pathlib import Path
from typing import Any

STARTS = "GATEWAY_TEST_STARTS"


def fail(*_: Any) -> None:
    """Note the start, and fail."""
    with Path(os.environ[STARTS]).open("a", encoding="utf-8") as starts:
        starts.write("start\n")
    sys.exit(3)
