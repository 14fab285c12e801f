"""`gateway keys`: what other services call the REST interface with."""

import asyncio
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from gateway.commands.configuration import configured
from gateway.commands.period import period
from gateway.commands.store import opened_store
from gateway.refusal import FAILED, CommandRefused
from gateway.settings import Settings
from state.api_keys import ApiKey, ApiKeys, Scope

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")


def create(
    config: Path | None,
    *,
    scopes: str,
    name: str | None,
    bots: list[str],
    expires: str | None,
    per_second: int | None,
) -> int:
    """
    Make a key and print it, the only time that it is shown.

    Raises:
        CommandRefused: a scope, bot or period that there is not, or Redis cannot be used.
    """
    settings = configured(config)
    wanted = _scopes(scopes)
    if name is not None and not _NAME.fullmatch(name):
        raise CommandRefused(["--name: is not a name; use lower-case letters, digits and - inside"])
    bot_ids = _bot_ids(settings, bots)
    now_ms = _now_ms()
    expires_at_ms = (
        now_ms + int(period(expires, option="--expires").total_seconds() * 1000)
        if expires is not None
        else None
    )

    async def run() -> str:
        async with opened_store(settings) as scripts:
            _, text = await ApiKeys(scripts.calls, scripts.keys).create(
                name, wanted, bots=bot_ids, now_ms=now_ms, expires_at_ms=expires_at_ms, per_second=per_second
            )
            return text

    print(asyncio.run(run()))  # noqa: T201 - this is the command's output, for a pipe too
    return 0


def show(config: Path | None) -> int:
    """
    List the keys, without their secrets.

    Raises:
        CommandRefused: Redis cannot be used.
    """
    settings = configured(config)

    async def run() -> list[ApiKey]:
        async with opened_store(settings) as scripts:
            return list(await ApiKeys(scripts.calls, scripts.keys).all())

    names = {bot.bot_id: name for name, bot in settings.telegram.bots.items()}
    table = Table("id", "name", "scopes", "bots", "made", "expires", "state", "a second")
    now_ms = _now_ms()
    for key in asyncio.run(run()):
        table.add_row(
            key.id,
            key.name,
            " ".join(sorted(scope.value for scope in key.scopes)),
            " ".join(names.get(bot_id, str(bot_id)) for bot_id in sorted(key.bots)) or "all",
            _day(key.created_at_ms),
            _day(key.expires_at_ms),
            _state(key, now_ms),
            str(key.per_second or ""),
        )
    Console().print(table)
    return 0


def revoke(config: Path | None, key_id: str) -> int:
    """
    Let the key open nothing from now on.

    Raises:
        CommandRefused: there is no such key, or Redis cannot be used.
    """
    settings = configured(config)

    async def run() -> bool:
        async with opened_store(settings) as scripts:
            return await ApiKeys(scripts.calls, scripts.keys).revoke(key_id, now_ms=_now_ms())

    if not asyncio.run(run()):
        raise CommandRefused([f"{key_id}: there is no such key; see gateway keys list"], FAILED)
    return 0


def _scopes(text: str) -> frozenset[Scope]:
    known = [scope.value for scope in Scope]
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        problem = f"{', '.join(unknown)} is no scope" if unknown else "no scope is named"
        raise CommandRefused([f"--scopes: {problem}; there are {', '.join(known)}"])
    return frozenset(map(Scope, names))


def _bot_ids(settings: Settings, names: list[str]) -> frozenset[int]:
    bots = settings.telegram.bots
    unknown = [name for name in names if name not in bots]
    if unknown:
        raise CommandRefused([f"--bot: no bot {', '.join(unknown)}; there are {', '.join(sorted(bots))}"])
    return frozenset(bots[name].bot_id for name in names)


def _state(key: ApiKey, now_ms: int) -> str:
    if key.revoked_at_ms is not None:
        return "revoked"
    return "valid" if key.usable(now_ms) else "expired"


def _day(at_ms: int | None) -> str:
    return "" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
