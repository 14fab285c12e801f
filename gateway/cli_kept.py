"""The commands on events that are kept: declarations only."""

from typing import Annotated, TypeAlias

import typer

from gateway.cli_options import Config, existing

dead_letters = typer.Typer(help="Events that were given up.", no_args_is_help=True)
parked = typer.Typer(help="Events that came before their conversation was ready.", no_args_is_help=True)
unresolved = typer.Typer(help="Events whose conversation is not known yet.", no_args_is_help=True)

EventId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")]
Source: TypeAlias = Annotated[str | None, typer.Option(help="Of this source only.")]
Type: TypeAlias = Annotated[
    str | None, typer.Option("--type", help="Of this type only, as payment.succeeded.")
]
Reason: TypeAlias = Annotated[str | None, typer.Option(help="Only those whose reason begins so.")]
OlderThan: TypeAlias = Annotated[str | None, typer.Option(help="Kept for longer than 90d, 12h, 30m.")]
NewerThan: TypeAlias = Annotated[str | None, typer.Option(help="Kept for less long.")]
Limit: TypeAlias = Annotated[int, typer.Option(min=1, max=500, help="So many.")]
After: TypeAlias = Annotated[str | None, typer.Option(metavar="ID", help="Those that come after this one.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON object for each.")]


@dead_letters.command("list")
def list_dead_letters(  # noqa: PLR0917 - typer reads them as options, not by position
    source: Source = None,
    type_: Type = None,
    reason: Reason = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
    config: Config = None,
) -> int:
    """List dead letters, the newest first."""
    from gateway.commands.kept import Keeping, Wanted, show_list

    wanted = Wanted(source, type_, reason, older_than, newer_than)
    return show_list(Keeping.DEAD, existing(config), wanted, limit=limit, after=after, as_json=json)


@dead_letters.command("show")
def show_dead_letter(event_id: EventId, config: Config = None) -> int:
    """Print all of one dead letter as JSON, its raw body too."""
    from gateway.commands.kept import Keeping, show

    return show(Keeping.DEAD, existing(config), event_id)


@dead_letters.command("replay")
def replay_dead_letters(  # noqa: PLR0917 - typer reads them as options, not by position
    event_id: Annotated[str | None, typer.Argument(metavar="ID", help="This one.")] = None,
    source: Source = None,
    type_: Type = None,
    reason: Reason = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only.")] = False,
    config: Config = None,
) -> int:
    """Give dead letters back to their handlers, the oldest first."""
    from gateway.commands.kept import Wanted, replay

    wanted = Wanted(source, type_, reason, older_than, newer_than)
    return replay(existing(config), event_id, wanted, every=every, dry_run=dry_run)


@dead_letters.command("discard")
def discard_dead_letter(event_id: EventId, config: Config = None) -> int:
    """Delete one dead letter for good."""
    from gateway.commands.kept import Keeping, discard

    return discard(Keeping.DEAD, existing(config), event_id)


@parked.command("list")
def list_parked(  # noqa: PLR0917 - typer reads them as options, not by position
    source: Source = None,
    type_: Type = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
    config: Config = None,
) -> int:
    """List parked events, the newest first."""
    from gateway.commands.kept import Keeping, Wanted, show_list

    wanted = Wanted(source, type_, None, older_than, newer_than)
    return show_list(Keeping.PARKED, existing(config), wanted, limit=limit, after=after, as_json=json)


@parked.command("show")
def show_parked(event_id: EventId, config: Config = None) -> int:
    """Print all of one parked event as JSON."""
    from gateway.commands.kept import Keeping, show

    return show(Keeping.PARKED, existing(config), event_id)


@parked.command("replay")
def replay_parked(event_id: EventId, config: Config = None) -> int:
    """Look at one parked event again now, as if the state had changed."""
    from gateway.commands.kept import look_again

    return look_again(existing(config), event_id)


@parked.command("discard")
def discard_parked(event_id: EventId, config: Config = None) -> int:
    """Make a dead letter of one parked event."""
    from gateway.commands.kept import Keeping, discard

    return discard(Keeping.PARKED, existing(config), event_id)


@unresolved.command("list")
def list_unresolved(  # noqa: PLR0917 - typer reads them as options, not by position
    source: Source = None,
    type_: Type = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
    config: Config = None,
) -> int:
    """List unresolved events, the newest first."""
    from gateway.commands.kept import Keeping, Wanted, show_list

    wanted = Wanted(source, type_, None, older_than, newer_than)
    return show_list(Keeping.UNRESOLVED, existing(config), wanted, limit=limit, after=after, as_json=json)


@unresolved.command("show")
def show_unresolved(event_id: EventId, config: Config = None) -> int:
    """Print all of one unresolved event as JSON."""
    from gateway.commands.kept import Keeping, show

    return show(Keeping.UNRESOLVED, existing(config), event_id)


@unresolved.command("discard")
def discard_unresolved(event_id: EventId, config: Config = None) -> int:
    """Make a dead letter of one unresolved event."""
    from gateway.commands.kept import Keeping, discard

    return discard(Keeping.UNRESOLVED, existing(config), event_id)
