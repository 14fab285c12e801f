"""A bot as the settings have it: its API server, and what is noted of its direct calls."""

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer

from gateway.direct_calls import WatchDirectCalls
from gateway.settings import BotSettings


def open_bot(settings: BotSettings) -> Bot:
    """Return the bot; whoever opens it closes its session."""
    server = TelegramAPIServer.from_base(str(settings.api_base)) if settings.api_base else PRODUCTION
    session = AiohttpSession(api=server)
    session.middleware(WatchDirectCalls())
    return Bot(settings.token.get_secret_value(), session=session)
