"""Whether a process still runs, and its end."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

#: Many times what a drain takes on a slow machine.
LONGEST_END = timedelta(seconds=90)


async def ended(process: asyncio.subprocess.Process) -> int:
    """
    Wait until *process* has ended; return its exit code.

    Raises:
        AssertionError: it did not in time; it is killed.
    """
    try:
        async with asyncio.timeout(LONGEST_END.total_seconds()):
            return await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AssertionError(f"process {process.pid} did not end by itself") from None


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
