"""`gateway telegram`: what Telegram knows of the bots' webhooks."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC
from pathlib import Path

from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramNetworkError, TelegramUnauthorizedError
from rich.console import Console
from rich.table import Table

from gateway.bot_module import load_gateway
from gateway.commands.configuration import configured
from gateway.commands.store import opened_store
from gateway.refusal import FAILED, CommandRefused
from gateway.settings import BotSettings, Settings
from gateway.telegram_bot import open_bot
from gateway.telegram_webhooks import tell, wanted_webhooks
from state.webhook_log import WebhookLog

_PROCESS = "command line"


def info(config: Path | None, *, bots: Sequence[str]) -> int:
    """
    Print what Telegram knows of each bot's webhook.

    Raises:
        CommandRefused: no such bot, or Telegram does not answer.
    """
    settings = configured(config)
    chosen = _chosen(settings, bots)
    table = Table("bot", "address", "waiting", "updates", "last error")

    async def run() -> None:
        for name, section in chosen.items():
            async with _asking(name, section) as bot:
                known = await bot.get_webhook_info()
            at = known.last_error_date.astimezone(UTC).isoformat() if known.last_error_date else ""
            table.add_row(
                name,
                known.url or "none",
                str(known.pending_update_count),
                ", ".join(known.allowed_updates or ["all but chat_member and reactions"]),
                f"{at} {known.last_error_message or ''}".strip(),
            )

    asyncio.run(run())
    Console().print(table)
    return 0


def set_webhook(config: Path | None, module: str, *, bots: Sequence[str]) -> int:
    """
    Tell Telegram where the bots' updates go, whatever it knows now.

    Raises:
        CommandRefused: no address of ours is configured, no such bot, or Telegram refuses.
    """
    settings = configured(config)
    chosen = _chosen(settings, bots)
    if settings.web.public_url is None:
        raise CommandRefused(["web.public_url: is missing; it is what Telegram is to call"])
    wanted = wanted_webhooks(settings, load_gateway(module))
    unwanted = [name for name, section in chosen.items() if section.bot_id not in wanted]
    if unwanted:
        raise CommandRefused([f"telegram.bots.{name}.set_webhook: is false" for name in unwanted])

    async def run() -> None:
        async with opened_store(settings) as scripts:
            webhooks = WebhookLog(scripts.calls, scripts.keys, process=_PROCESS)
            for name, section in chosen.items():
                async with _asking(name, section) as bot:
                    await tell(bot, wanted[section.bot_id], webhooks, anyway=True)
                Console().print(f"{name}: {wanted[section.bot_id].url}", soft_wrap=True)

    asyncio.run(run())
    return 0


def delete_webhook(config: Path | None, *, bots: Sequence[str], drop_pending: bool) -> int:
    """
    Have Telegram call nobody. Updates wait there for a day, unless they are dropped.

    Raises:
        CommandRefused: no such bot, or Telegram refuses.
    """
    settings = configured(config)
    chosen = _chosen(settings, bots)

    async def run() -> None:
        async with opened_store(settings) as scripts:
            webhooks = WebhookLog(scripts.calls, scripts.keys, process=_PROCESS)
            for name, section in chosen.items():
                async with _asking(name, section) as bot:
                    await bot.delete_webhook(drop_pending_updates=drop_pending)
                await webhooks.forget(section.bot_id)
                Console().print(f"{name}: none")

    asyncio.run(run())
    return 0


def _chosen(settings: Settings, names: Sequence[str]) -> Mapping[str, BotSettings]:
    known = settings.telegram.bots
    unknown = [name for name in names if name not in known]
    if unknown:
        there_are = ", ".join(sorted(known))
        raise CommandRefused([f"--bot: {name} is not a bot; there are {there_are}" for name in unknown])
    return {name: bot for name, bot in known.items() if not names or name in names}


@asynccontextmanager
async def _asking(name: str, section: BotSettings) -> AsyncIterator[Bot]:
    """Open the bot; what Telegram refuses is told without the address, which holds the token."""
    async with AsyncExitStack() as stack:
        bot = open_bot(section)
        stack.push_async_callback(bot.session.close)
        try:
            yield bot
        except TelegramUnauthorizedError as error:
            raise CommandRefused(
                [f"telegram.bots.{name}.token: Telegram does not know it"], FAILED
            ) from error
        except TelegramNetworkError as error:
            raise CommandRefused([f"{name}: Telegram does not answer"], FAILED) from error
        except TelegramAPIError as error:
            raise CommandRefused([f"{name}: {error.message}"], FAILED) from error
