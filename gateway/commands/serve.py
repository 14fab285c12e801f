"""`gateway serve`: everything that can be wrong is found before anything listens."""

from pathlib import Path

from gateway.bot_module import load_gateway
from gateway.commands.configuration import configured
from gateway.loading import loading
from gateway.logs import set_up_logs
from gateway.refusal import CommandRefused
from gateway.role import Role
from gateway.settings import Settings


def serve(
    bot: str, config: Path | None, *, host: str | None, port: int | None, workers: int, role: Role
) -> int:
    """
    Run *bot* until SIGTERM or Ctrl-C, and drain.

    Raises:
        CommandRefused: the configuration, the bot's module, Redis or the address cannot be used.
    """
    settings = overridden(configured(config), host=host, port=port)
    _refuse_lonely_role(settings, role)
    set_up_logs(settings.log.level, settings.log.form, secrets=settings.secrets())
    with loading():
        gateway = load_gateway(bot)
        # Not before: a mistake in the settings, or in the name of the bot, is told at once.
        from gateway.launch import launch

    return launch(gateway, settings, bot=bot, workers=workers, role=role)


def overridden(settings: Settings, *, host: str | None, port: int | None) -> Settings:
    """*settings* with what the command line says instead."""
    web = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    return settings.model_copy(update={"web": settings.web.model_copy(update=web)})


def _refuse_lonely_role(settings: Settings, role: Role) -> None:
    if role is not Role.ALL and settings.redis.url is None:
        raise CommandRefused(
            ["redis.url: is missing; --role web and --role worker need one Redis that both reach"]
        )
