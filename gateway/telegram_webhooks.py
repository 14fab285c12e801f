"""Telegram is told where each bot's updates go: once, by one process, and only if it differs."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

import orjson
import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramConflictError, TelegramRetryAfter
from aiogram.types import WebhookInfo

from gateway.gateway import Gateway
from gateway.settings import Settings
from state.errors import StoreUnavailable
from state.webhook_log import WebhookLog

log = structlog.get_logger(__name__)

LEADS_FOR = timedelta(seconds=15)
LOOK_AGAIN_SECONDS = 5.0
#: https://core.telegram.org/bots/api#setwebhook: one call a second and bot.
SAME_BOT_PAUSE_SECONDS = 1.1


class Told(Enum):
    """What came of telling Telegram."""

    UNCHANGED = "unchanged"
    SET = "set"


@dataclass(frozen=True, slots=True)
class WantedWebhook:
    """What Telegram shall know of one bot."""

    bot_id: int
    url: str
    secret_token: str
    allowed_updates: Sequence[str]

    @property
    def digest(self) -> str:
        """Return it in one word, which does not tell the secret."""
        facts = [self.url, self.secret_token, sorted(self.allowed_updates)]
        return hashlib.sha256(orjson.dumps(facts)).hexdigest()

    def fits(self, info: WebhookInfo, told: str | None) -> bool:
        """Tell whether Telegram's *info* and what it was *told* last are this."""
        same_updates = set(info.allowed_updates or ()) == set(self.allowed_updates)
        return info.url == self.url and same_updates and told == self.digest


def wanted_webhooks(settings: Settings, gateway: Gateway) -> Mapping[int, WantedWebhook]:
    """Return what Telegram shall know, for each bot whose webhook is ours to set."""
    if settings.web.public_url is None:
        return {}
    base = str(settings.web.public_url).rstrip("/")
    return {
        bot.bot_id: WantedWebhook(
            bot.bot_id,
            f"{base}/telegram/{bot.bot_id}",
            bot.secret_token.get_secret_value(),
            gateway.allowed_updates(bot.bot_id),
        )
        for bot in settings.telegram.bots.values()
        if bot.set_webhook
    }


async def tell(bot: Bot, wanted: WantedWebhook, webhooks: WebhookLog, *, anyway: bool = False) -> Told:
    """
    Set the webhook if it is not *wanted* already; pending updates are kept.

    Raises:
        TelegramAPIError: Telegram refused, or cannot be reached.
        StoreUnavailable: Redis did not answer.
    """
    if not anyway and wanted.fits(await bot.get_webhook_info(), await webhooks.told(wanted.bot_id)):
        return Told.UNCHANGED
    while True:
        try:
            await bot.set_webhook(
                wanted.url, secret_token=wanted.secret_token, allowed_updates=list(wanted.allowed_updates)
            )
        except TelegramRetryAfter as error:
            await asyncio.sleep(error.retry_after)
        except TelegramConflictError:
            # Somebody else is setting it at this moment.
            await asyncio.sleep(SAME_BOT_PAUSE_SECONDS)
        else:
            break
    await webhooks.note(wanted.bot_id, wanted.digest)
    return Told.SET


async def keep_telling(
    bots: Mapping[int, Bot], wanted: Mapping[int, WantedWebhook], webhooks: WebhookLog
) -> None:
    """Tell Telegram of every bot, as the process that leads; where it fails, again and again."""
    left = dict(wanted)
    try:
        while left:
            try:
                if await webhooks.leads(LEADS_FOR):
                    await _tell_all(bots, left, webhooks)
                else:
                    await _leave_out_told(left, webhooks)
            except StoreUnavailable as error:
                log.warning("the store is away; webhooks are set later", error=str(error))
            if left:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
    finally:
        with suppress(StoreUnavailable):
            await webhooks.step_down()


async def _tell_all(bots: Mapping[int, Bot], left: dict[int, WantedWebhook], webhooks: WebhookLog) -> None:
    for bot_id, wanted in list(left.items()):
        try:
            async with asyncio.timeout(LEADS_FOR.total_seconds() / 2):
                told = await tell(bots[bot_id], wanted, webhooks)
        except (TelegramAPIError, TimeoutError) as error:
            # aiogram's message may hold the address, which holds the token: its kind is told, no more.
            log.warning("a webhook could not be set; tried again", bot=bot_id, error=type(error).__name__)
            continue
        log.info("webhook", bot=bot_id, url=wanted.url, told=told.value, updates=list(wanted.allowed_updates))
        del left[bot_id]


async def _leave_out_told(left: dict[int, WantedWebhook], webhooks: WebhookLog) -> None:
    """Another process leads: what it has told need not be told again."""
    for bot_id, wanted in list(left.items()):
        if await webhooks.told(bot_id) == wanted.digest:
            del left[bot_id]
