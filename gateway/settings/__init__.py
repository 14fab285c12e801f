"""What an operator can set: `gateway.toml`, every value also from the environment."""

from gateway.settings.errors import SettingsError
from gateway.settings.models import (
    BotSettings,
    ExpirySettings,
    LogSettings,
    RedisSettings,
    Settings,
    SourceSecret,
    SourceSettings,
    TelegramSettings,
    WebSettings,
    WorkerSettings,
)
from gateway.settings.sources import load_settings

__all__ = [
    "BotSettings",
    "ExpirySettings",
    "LogSettings",
    "RedisSettings",
    "Settings",
    "SettingsError",
    "SourceSecret",
    "SourceSettings",
    "TelegramSettings",
    "WebSettings",
    "WorkerSettings",
    "load_settings",
]
