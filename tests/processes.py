"""Whether a process still runs."""

import os
from pathlib import Path


def is_running(pid: int) -> bool:
    """A zombie does not: nobody may have asked for the end of an orphan."""
    if Path("/proc/self/stat").exists():
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
