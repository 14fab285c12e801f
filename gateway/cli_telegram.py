"""The command line's `gateway telegram`."""

from typing import Annotated

import typer

from gateway.cli_options import Config, existing

telegram = typer.Typer(help="What Telegram knows of the bots' webhooks.", no_args_is_help=True)

_Bots = Annotated[list[str] | None, typer.Option("--bot", help="This bot only; may be repeated.")]


@telegram.command("info")
def info(bot: _Bots = None, config: Config = None) -> int:
    """Print it."""
    from gateway.commands.telegram import info as run

    return run(existing(config), bots=bot or [])


@telegram.command("set-webhook")
def set_webhook(
    module: Annotated[str, typer.Argument(metavar="MODULE:ATTR", help="The bot's Gateway.")],
    bot: _Bots = None,
    config: Config = None,
) -> int:
    """Have Telegram call web.public_url; `serve` does so by itself where it differs."""
    from gateway.commands.telegram import set_webhook as run

    return run(existing(config), module, bots=bot or [])


@telegram.command("delete")
def delete_webhook(
    bot: _Bots = None,
    drop_pending: Annotated[bool, typer.Option("--drop-pending", help="Lose the updates that wait.")] = False,
    config: Config = None,
) -> int:
    """Have Telegram call nobody."""
    from gateway.commands.telegram import delete_webhook as run

    return run(existing(config), bots=bot or [], drop_pending=drop_pending)
