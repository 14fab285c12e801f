"""Steps at which a test has this process killed or stopped, and a clock that it can put forward or back."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: `commit.after:3:KILL`: at the third time that a commit has been made. Only tests set it.
FAULT_VARIABLE: Final = "FSM_GATEWAY_FAULT"
#: A file that holds by how many seconds this process's clock is wrong. Only tests set it.
CLOCK_VARIABLE: Final = "FSM_GATEWAY_CLOCK"


@dataclass(slots=True)
class _Fault:
    step: str
    left: int
    signal: signal.Signals


def _planned() -> _Fault | None:
    text = os.environ.get(FAULT_VARIABLE)
    if not text:
        return None
    step, times, what = text.split(":")
    return _Fault(step, int(times), signal.Signals[f"SIG{what}"])


#: None in every process that no test has started; then no step costs more than a look at it.
FAULT: Final = _planned()
_CLOCK: Final = os.environ.get(CLOCK_VARIABLE)


def reached(step: str) -> None:
    """Meet the fault that is planned for *step*, if its time has come."""
    if FAULT is None or FAULT.step != step:
        return
    FAULT.left -= 1
    if FAULT.left == 0:
        os.kill(os.getpid(), FAULT.signal)


def now_ms() -> int:
    """The time at this process."""
    wrong_seconds = float(Path(_CLOCK).read_text() or 0) if _CLOCK else 0.0
    return time.time_ns() // 1_000_000 + int(wrong_seconds * 1000)
