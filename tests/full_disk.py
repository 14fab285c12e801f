"""A disk with no room for Redis's append-only file, arranged without one."""

import resource

from gateway.embedded import EmbeddedRedis


def fill_disk(server: EmbeddedRedis) -> None:
    """
    Let no file of *server* grow beyond its append-only file as it is now.

    write() then says EFBIG where a full disk says ENOSPC; Redis takes no writes after either.
    """
    files = (server.data_directory / "appendonlydir").glob("*.incr.aof")
    _let_files_grow_to(server, max(file.stat().st_size for file in files))


def empty_disk(server: EmbeddedRedis) -> None:
    """Let the files of *server* grow again."""
    _let_files_grow_to(server, resource.RLIM_INFINITY)


def _let_files_grow_to(server: EmbeddedRedis, size_bytes: int) -> None:
    assert server.pid is not None
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size_bytes, hard))
