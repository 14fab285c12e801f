"""One data directory, one Redis: two servers on one append-only file would destroy it."""

import asyncio
import fcntl
import os
import time
from datetime import timedelta
from pathlib import Path


class DataDirectoryInUse(Exception):
    """Another running gateway keeps its data in this directory."""

    def __init__(self, directory: Path, pid: str) -> None:
        super().__init__(
            f"{directory} is in use by another gateway (process {pid}); stop that one, "
            "or give this one its own redis.data_dir"
        )


class DataDirectoryLock:
    """
    A flock on a file in *directory*, shared with the server that inherits it.

    The kernel frees it when the last of them is gone, whatever killed them. *patience* is for a server that
    is still writing after its gateway died.
    """

    def __init__(self, directory: Path, *, patience: timedelta = timedelta(seconds=10)) -> None:
        self._path = directory / "gateway.lock"
        self._patience = patience
        self._file: int | None = None

    async def acquire(self) -> None:
        """
        Take the directory and write our pid into it.

        Raises:
            DataDirectoryInUse: its holder lives, or has not let go within the patience.
        """
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        give_up_at = time.monotonic() + self._patience.total_seconds()
        while not _locked(file):
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
            if _is_alive(holder) or time.monotonic() >= give_up_at:
                os.close(file)
                raise DataDirectoryInUse(self._path.parent, holder)
            await asyncio.sleep(0.05)
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        self._file = file

    def release(self) -> None:
        """Let go of it; nothing when it was not taken."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def fileno(self) -> int:
        """The descriptor, for a child to inherit. Only while it is taken."""
        assert self._file is not None, "the lock is not taken"  # noqa: S101 - a mistake of ours, not of the user's
        return self._file


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
