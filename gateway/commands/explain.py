"""`gateway explain`: why a user is in this state."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gateway.commands.serve import configured
from gateway.commands.store import opened_store
from gateway.refusal import CommandRefused
from gateway.settings import Settings
from state.conversation import Conversation
from state.history import History, Transition


def explain(
    config: Path | None, bot: str, user: int, *, chat: int | None, thread: int | None, as_json: bool
) -> int:
    """
    Print the last changes of one conversation, the newest first.

    Raises:
        CommandRefused: no such bot is configured, or Redis cannot be used.
    """
    settings = configured(config)
    conversation = Conversation(_bot_id(settings, bot), chat if chat is not None else user, user, thread)

    async def run() -> Sequence[Transition]:
        async with opened_store(settings) as scripts:
            return await History(scripts.calls, scripts.keys).of(conversation)

    transitions = asyncio.run(run())
    if as_json:
        for transition in transitions:
            print(json.dumps(asdict(transition), ensure_ascii=False))  # noqa: T201 - the command's output
        return 0
    _print(transitions)
    return 0


def _bot_id(settings: Settings, name: str) -> int:
    bots = settings.telegram.bots
    for known, bot in bots.items():
        if name in (known, str(bot.bot_id)):
            return bot.bot_id
    raise CommandRefused([f"no bot {name}; there are {', '.join(sorted(bots))}"])


def _print(transitions: Sequence[Transition]) -> None:
    console = Console()
    if not transitions:
        console.print("Nothing is known of this conversation.")
        return
    table = Table("when", "what", "from", "to", "drafts", "shown", "event")
    for each in transitions:
        drafts = [f"{feature}: {', '.join(names)}" for feature, names in each.drafts.items()]
        key = f" {each.idempotency_key}" if each.idempotency_key else ""
        table.add_row(
            f"{datetime.fromtimestamp(each.at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}",
            f"{each.source} {each.type}{key}",
            each.from_state or "-",
            each.to_state or "-",
            "\n".join(drafts),
            "\n".join(each.did),
            each.event_id or "",
        )
    console.print(table)
