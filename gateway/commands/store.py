"""The configured store, opened for one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.embedded import EmbeddedRedis, EmbeddedRedisFailed
from gateway.embedded_binary import RedisServerNotFound
from gateway.embedded_lock import DataDirectoryInUse
from gateway.refusal import FAILED, CommandRefused
from gateway.settings import Settings
from state.connection import connect
from state.errors import PartitionsChanged, StoreMisconfigured, StoreUnavailable
from state.grouping import GroupedCalls
from state.keys import Keys
from state.layout import check_layout, fix_layout
from state.scripts import Scripts


@asynccontextmanager
async def opened_store(settings: Settings, *, writes: bool = True) -> AsyncIterator[Scripts]:
    """
    Open the configured Redis; an embedded one is that of the running gateway, or started for the command.

    Without *writes* not even the layout is written down.

    Raises:
        CommandRefused: it cannot be used, or not now.
    """
    embedded = EmbeddedRedis(settings.redis.data_dir)
    try:
        if settings.redis.url is not None:
            async with _connected(settings.redis.url.get_secret_value(), settings, writes=writes) as scripts:
                yield scripts
        elif embedded.socket_path.is_socket():
            async with _connected(embedded.url, settings, writes=writes) as scripts:
                yield scripts
        else:
            async with embedded, _connected(embedded.url, settings, writes=writes) as scripts:
                yield scripts
    except (StoreMisconfigured, PartitionsChanged) as error:
        raise CommandRefused([f"redis: {error}"]) from error
    except (DataDirectoryInUse, RedisServerNotFound) as error:
        raise CommandRefused([f"redis: {error}"]) from error
    except (EmbeddedRedisFailed, StoreUnavailable) as error:
        raise CommandRefused([f"redis: {error}"], FAILED) from error


@asynccontextmanager
async def _connected(url: str, settings: Settings, *, writes: bool) -> AsyncIterator[Scripts]:
    redis = await connect(url)
    try:
        keys = Keys(settings.redis.prefix, settings.redis.partitions)
        calls = GroupedCalls(redis)
        await (fix_layout if writes else check_layout)(calls, keys)
        yield Scripts(calls, keys)
    finally:
        await redis.aclose()
