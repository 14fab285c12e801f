"""The command line: declarations only. The work is in `gateway.commands`, imported when it is asked for."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from gateway.cli_kept import dead_letters, parked, unresolved
from gateway.cli_options import Config, existing
from gateway.cli_telegram import telegram
from gateway.refusal import MISTAKEN, CommandRefused
from gateway.role import Role

app = typer.Typer(
    name="gateway",
    help="A webhook gateway for Telegram bots: every external event becomes one change of one user's state.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command; a mistake is a line for each problem on stderr and exit code 2, never a traceback."""
    try:
        status = app(standalone_mode=False)
    except CommandRefused as refusal:
        _say(refusal.problems)
        sys.exit(refusal.exit_code)
    except TyperException as mistake:
        _say([f"{mistake.format_message()} (see gateway --help)"])
        sys.exit(MISTAKEN)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _say(problems: list[str] | tuple[str, ...]) -> None:
    for problem in problems:
        typer.echo(f"gateway: {problem}", err=True)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"gateway {version('fsm-gateway')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and stop.")
    ] = False,
) -> None:
    pass


@app.command()
def serve(  # noqa: PLR0917 - typer reads them as options, not by position
    bot: Annotated[str, typer.Argument(metavar="MODULE:ATTR", help="The bot's Gateway, as mybot:gateway.")],
    config: Config = None,
    host: Annotated[str | None, typer.Option(help="Listen here instead of web.host.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Instead of web.port.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 1,
    role: Annotated[Role, typer.Option(help="What each process does.")] = Role.ALL,
) -> int:
    """Run a bot: take the calls, do the work."""
    from gateway.commands.serve import serve as run

    return run(bot, existing(config), host=host, port=port, workers=workers, role=role)


@app.command()
def demo(
    json: Annotated[bool, typer.Option("--json", help="One JSON object for each step.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Keep everything running afterwards.")] = False,
) -> int:
    """Play one booking through a real gateway, with no account and no Redis."""
    from gateway.loading import loading

    with loading():
        from gateway.commands.demo import demo as run

    return run(as_json=json, keep_serving=serve)


@app.command()
def openapi(
    output: Annotated[Path | None, typer.Option(help="Write it here. [default: standard output]")] = None,
    check: Annotated[Path | None, typer.Option(help="Exit 1 if this file is not what the code says.")] = None,
    released: Annotated[
        Path | None, typer.Option(help="Exit 1 if callers of this released description would break.")
    ] = None,
) -> int:
    """Write the description of the HTTP interface, or check one."""
    from gateway.commands.openapi import openapi as run

    return run(output=output, check=check, released=released)


keys = typer.Typer(help="Keys of other services, for the REST interface.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(parked, name="parked")
app.add_typer(unresolved, name="unresolved")
app.add_typer(telegram, name="telegram")


@keys.command("create")
def create_key(  # noqa: PLR0917 - typer reads them as options, not by position
    scopes: Annotated[str, typer.Option(help="What it may do: events:write,state:read ...")],
    name: Annotated[str | None, typer.Option(help="The source of its events. [default: its id]")] = None,
    bot: Annotated[list[str] | None, typer.Option(help="For this bot only; may be repeated.")] = None,
    expires: Annotated[str | None, typer.Option(help="After so long: 90d, 12h, 30m.")] = None,
    per_second: Annotated[int | None, typer.Option(min=1, help="So many calls a second.")] = None,
    config: Config = None,
) -> int:
    """Make a key and print it; it is shown this once."""
    from gateway.commands.keys import create as run

    return run(
        existing(config), scopes=scopes, name=name, bots=bot or [], expires=expires, per_second=per_second
    )


@keys.command("list")
def list_keys(config: Config = None) -> int:
    """List the keys, without their secrets."""
    from gateway.commands.keys import show as run

    return run(existing(config))


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As gateway keys list shows it.")],
    config: Config = None,
) -> int:
    """Let a key open nothing from now on."""
    from gateway.commands.keys import revoke as run

    return run(existing(config), key_id)


sources = typer.Typer(help="Providers that call the gateway.", no_args_is_help=True)
app.add_typer(sources, name="sources")


@sources.command("list")
def list_sources(config: Config = None) -> int:
    """List what is configured."""
    from gateway.commands.sources import show as run

    return run(existing(config))


@sources.command("check")
def check_sources(
    name: Annotated[str | None, typer.Argument(metavar="[SOURCE]", help="This one only.")] = None,
    config: Config = None,
) -> int:
    """Say what to enter at each provider, and what would keep it from working."""
    from gateway.commands.sources import check as run

    return run(existing(config), name)


@app.command()
def trigger(  # noqa: PLR0917 - typer reads them as options, not by position
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A configured source, or its kind.")],
    event: Annotated[str, typer.Argument(metavar="TYPE", help="The provider's own type of event.")],
    token: Annotated[str, typer.Option(help="The token of the expectation.")],
    amount: Annotated[int, typer.Option(min=0, help="In the currency's minor unit.")] = 4200,
    currency: Annotated[str, typer.Option()] = "EUR",
    object_id: Annotated[
        str, typer.Option("--object", help="The provider's id of the payment or booking.")
    ] = "",
    body: Annotated[Path | None, typer.Option(help="Sign and send this instead of an example.")] = None,
    url: Annotated[
        str | None, typer.Option(help="The source's address. [default: by web.host and web.port]")
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(help="Sign with this; env:NAME reads a variable. [default: the configured one]"),
    ] = None,
    config: Config = None,
) -> int:
    """Send a genuine, signed example of a provider's call to a running gateway."""
    from gateway.commands.secret_option import secret_of
    from gateway.commands.trigger import Order
    from gateway.commands.trigger import trigger as run

    order = Order(source, event, token, amount, currency, object_id, body)
    return run(existing(config), order, url=url, secret=None if secret is None else secret_of(secret))


@app.command()
def verify(  # noqa: PLR0917 - typer reads them as options, not by position
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A configured source, or its kind.")],
    header: Annotated[list[str] | None, typer.Option(help="'Name: value'; may be repeated.")] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(help="May be repeated; env:NAME reads a variable. [default: the configured ones]"),
    ] = None,
    url: Annotated[str | None, typer.Option(help="The source's public address, where it is signed.")] = None,
    query: Annotated[str, typer.Option(help="What followed the ? in the address.")] = "",
    method: Annotated[str, typer.Option()] = "POST",
    remote_address: Annotated[str, typer.Option(help="Where the call came from.")] = "",
    path_secret: Annotated[str, typer.Option(help="What followed the source in the path; env:NAME.")] = "",
    at: Annotated[datetime | None, typer.Option(help="When it came, in UTC. [default: now]")] = None,
    config: Config = None,
) -> int:
    """Say why a delivery, its body on standard input, is refused. No secret is ever shown."""
    from gateway.commands.secret_option import secret_of
    from gateway.commands.verify import Delivery
    from gateway.commands.verify import verify as run

    delivery = Delivery(
        sys.stdin.buffer.read(),
        header or (),
        query,
        method.upper(),
        url,
        remote_address,
        secret_of(path_secret).decode() if path_secret else "",
        at.replace(tzinfo=UTC) if at is not None else None,
    )
    return run(existing(config), source, delivery, [secret_of(each) for each in secret or ()])


@app.command("import-state")
def import_state(  # noqa: PLR0917 - typer reads them as options, not by position
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="URL|FILE|-",
            help="aiogram's Redis, or lines of export-state (-: standard input).",
        ),
    ],
    prefix: Annotated[str, typer.Option(help="DefaultKeyBuilder's, as are the next four.")] = "fsm",
    separator: Annotated[str, typer.Option()] = ":",
    with_bot_id: Annotated[bool, typer.Option("--with-bot-id")] = False,
    with_business_connection_id: Annotated[bool, typer.Option("--with-business-connection-id")] = False,
    with_destiny: Annotated[bool, typer.Option("--with-destiny")] = False,
    bot: Annotated[
        int | None,
        typer.Option(help="The id of the bot that the keys are of. [default: the configured bots]"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only.")] = False,
    config: Config = None,
) -> int:
    """Take in conversations; what is here already stays as it is."""
    from aiogram.fsm.storage.base import DefaultKeyBuilder

    from gateway.commands.import_state import import_state as run

    builder = DefaultKeyBuilder(
        prefix=prefix,
        separator=separator,
        with_bot_id=with_bot_id,
        with_business_connection_id=with_business_connection_id,
        with_destiny=with_destiny,
    )
    return run(source, config=existing(config), builder=builder, bot_id=bot, dry_run=dry_run)


@app.command("export-state")
def export_state(
    to: Annotated[Path | None, typer.Option(help="Write it here. [default: standard output]")] = None,
    config: Config = None,
) -> int:
    """Write every conversation as a line of JSON."""
    from gateway.commands.export_state import export_state as run

    return run(config=existing(config), to=to)


@app.command()
def explain(  # noqa: PLR0917 - typer reads them as options, not by position
    bot: Annotated[str, typer.Argument(help="The bot's name in the settings, or its id.")],
    user: Annotated[int, typer.Argument(help="Telegram's id of the user.")],
    chat: Annotated[int | None, typer.Option(help="The chat, if it is not the private one.")] = None,
    thread: Annotated[int | None, typer.Option(help="The topic in the chat.")] = None,
    business: Annotated[str | None, typer.Option(help="The business connection.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object for each change.")] = False,
    config: Config = None,
) -> int:
    """Tell why a user is in this state: the last changes, the newest first."""
    from gateway.commands.explain import explain as run

    return run(existing(config), bot, user, chat=chat, thread=thread, business=business, as_json=json)
