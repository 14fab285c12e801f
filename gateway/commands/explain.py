"""`gateway explain`: why a user is in this state."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gateway.commands.configuration import configured
from gateway.commands.store import opened_store
from gateway.refusal import CommandRefused
from gateway.settings import Settings
from state.conversation import Conversation
from state.delivered import Delivered
from state.history import Account, History, Transition


def explain(
    config: Path | None,
    bot: str,
    user: int,
    *,
    chat: int | None,
    thread: int | None,
    business: str | None,
    as_json: bool,
) -> int:
    """
    Print the last changes of one conversation, the newest first.

    Raises:
        CommandRefused: no such bot is configured, or Redis cannot be used.
    """
    settings = configured(config)
    chat = chat if chat is not None else user
    conversation = Conversation(_bot_id(settings, bot), chat, user, thread, business)

    async def run() -> Account:
        async with opened_store(settings) as scripts:
            return await History(scripts.calls, scripts.keys).of(conversation)

    account = asyncio.run(run())
    if as_json:
        for transition in account.transitions:
            print(json.dumps(asdict(transition), ensure_ascii=False))  # noqa: T201 - the command's output
        for at_ms, delivered in account.deliveries:
            print(json.dumps({"at_ms": at_ms, **asdict(delivered)}, ensure_ascii=False))  # noqa: T201 - as above
        return 0
    console = Console()
    _print(console, account.transitions)
    if account.deliveries:
        console.print(_deliveries(account.deliveries))
    return 0


def _bot_id(settings: Settings, name: str) -> int:
    bots = settings.telegram.bots
    for known, bot in bots.items():
        if name in (known, str(bot.bot_id)):
            return bot.bot_id
    raise CommandRefused([f"no bot {name}; there are {', '.join(sorted(bots))}"])


def _print(console: Console, transitions: Sequence[Transition]) -> None:
    if not transitions:
        console.print("Nothing is known of this conversation.")
        return
    table = Table("when", "what", "from", "to", "drafts", "shown", "event")
    for each in transitions:
        drafts = [f"{feature}: {', '.join(names)}" for feature, names in each.drafts.items()]
        key = f" {each.idempotency_key}" if each.idempotency_key else ""
        table.add_row(
            _moment(each.at_ms),
            f"{each.source} {each.type}{key}",
            each.from_state or "-",
            each.to_state or "-",
            "\n".join(drafts),
            "\n".join(each.did),
            each.event_id or "",
        )
    console.print(table)


def _deliveries(deliveries: Sequence[tuple[int, Delivered]]) -> Table:
    table = Table("when", "what", "became", "messages")
    for at_ms, each in deliveries:
        became = " ".join(part for part in (each.verb or each.outcome, each.cause) if part)
        table.add_row(_moment(at_ms), each.deed, became, ", ".join(each.messages))
    return table


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
