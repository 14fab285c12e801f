"""From a loaded bot and its settings to running processes."""

from contextlib import AsyncExitStack

import uvloop

from gateway.embedded import EmbeddedRedis, EmbeddedRedisFailed
from gateway.embedded_binary import RedisServerNotFound
from gateway.embedded_lock import DataDirectoryInUse
from gateway.errors import UnknownBot
from gateway.gateway import Gateway
from gateway.process_group import ProcessGroup
from gateway.refusal import FAILED, CommandRefused
from gateway.role import Role
from gateway.server import bound_socket, run_gateway, stop_on_signals
from gateway.settings import Settings, SettingsError
from gateway.subscribers.telling import watch_of
from state.connection import connect, server_facts
from state.durability import must_confirm
from state.errors import StoreMisconfigured, StoreUnavailable


def launch(gateway: Gateway, settings: Settings, *, bot: str, workers: int, role: Role) -> int:
    """
    Run *gateway*, which other processes load as *bot*, until SIGTERM or Ctrl-C; return the exit code.

    Raises:
        CommandRefused: the settings do not fit the bot, or Redis or the address cannot be used.
    """
    _refuse_unknown_names(gateway, settings)
    return uvloop.run(_launch(gateway, settings, bot=bot, workers=workers, role=role))


def _refuse_unknown_names(gateway: Gateway, settings: Settings) -> None:
    """Bots that features are for, and states that subscribers ask for."""
    try:
        gateway.bind({name: bot.bot_id for name, bot in settings.telegram.bots.items()})
        watch_of(settings, gateway)
    except UnknownBot as error:
        raise CommandRefused([str(error)]) from error
    except SettingsError as error:
        raise CommandRefused(error.problems) from error


async def _launch(gateway: Gateway, settings: Settings, *, bot: str, workers: int, role: Role) -> int:
    async with AsyncExitStack() as opened:
        redis_url = await _fit_redis(settings, opened)
        sock = opened.enter_context(bound_socket(settings.web)) if role.listens else None
        if workers > 1:
            return await ProcessGroup(bot, settings, redis_url, role, sock, size=workers).run()
        await run_gateway(gateway, settings, redis_url, role, sock, stop=stop_on_signals())
        return 0


async def _fit_redis(settings: Settings, opened: AsyncExitStack) -> str:
    """The address of a Redis that can hold the guarantees: the configured one, or our own."""
    try:
        if settings.redis.url is not None:
            url = settings.redis.url.get_secret_value()
        else:
            fsync = {"appendfsync": settings.redis.durability.value}
            url = (await opened.enter_async_context(EmbeddedRedis(settings.redis.data_dir, extra=fsync))).url
        async with await connect(url) as redis:
            if settings.redis.wants_disk:
                must_confirm(await server_facts(redis))
    except StoreMisconfigured as error:
        raise CommandRefused(error.problems) from error
    except (DataDirectoryInUse, RedisServerNotFound, OSError) as error:
        raise CommandRefused([f"redis: {error}"]) from error
    except (EmbeddedRedisFailed, StoreUnavailable) as error:
        raise CommandRefused([f"redis: {error}"], FAILED) from error
    return url
