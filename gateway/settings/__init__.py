"""What an operator can set: `gateway.toml`, every value also from the environment."""

from gateway.settings.bots import BotSettings, TelegramSettings
from gateway.settings.callers import SourceSecret, SourceSettings
from gateway.settings.errors import SettingsError
from gateway.settings.expiry import ExpirySettings
from gateway.settings.feed import FeedSettings
from gateway.settings.limits import LimitSettings
from gateway.settings.log import LogSettings
from gateway.settings.metrics import MetricsSettings
from gateway.settings.models import Settings
from gateway.settings.retries import ChatRetries, OtherRetries, PaymentRetries, RetriesSettings
from gateway.settings.sources import load_settings
from gateway.settings.store import RedisSettings
from gateway.settings.streams import StreamSettings
from gateway.settings.subscribers import SubscriberSettings
from gateway.settings.web import WebSettings
from gateway.settings.worker import WorkerSettings

__all__ = [
    "BotSettings",
    "ChatRetries",
    "ExpirySettings",
    "FeedSettings",
    "LimitSettings",
    "LogSettings",
    "MetricsSettings",
    "OtherRetries",
    "PaymentRetries",
    "RedisSettings",
    "RetriesSettings",
    "Settings",
    "SettingsError",
    "SourceSecret",
    "SourceSettings",
    "StreamSettings",
    "SubscriberSettings",
    "TelegramSettings",
    "WebSettings",
    "WorkerSettings",
    "load_settings",
]
