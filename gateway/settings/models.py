"""The settings and their limits. A docstring under a field is its documentation."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.settings.bots import TelegramSettings
from gateway.settings.callers import SourceSettings
from gateway.settings.errors import nearest
from gateway.settings.expiry import ExpirySettings
from gateway.settings.feed import FeedSettings
from gateway.settings.jwt import JwtSettings
from gateway.settings.limits import LimitSettings
from gateway.settings.log import LogSettings
from gateway.settings.metrics import MetricsSettings
from gateway.settings.retries import RetriesSettings
from gateway.settings.section import Name
from gateway.settings.source_options import secret_texts
from gateway.settings.state import StateSettings
from gateway.settings.store import RedisSettings
from gateway.settings.streams import StreamName, StreamSettings
from gateway.settings.subscribers import SubscriberSettings
from gateway.settings.web import WebSettings
from gateway.settings.worker import WorkerSettings


class Settings(BaseSettings):
    """Everything an operator sets. Made by `load_settings`, or in code with keyword arguments."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    telegram: TelegramSettings
    sources: dict[Name, SourceSettings] = Field(default_factory=dict)
    streams: dict[StreamName, StreamSettings] = Field(default_factory=dict)
    subscribers: dict[Name, SubscriberSettings] = Field(default_factory=dict)
    feed: FeedSettings = FeedSettings()
    redis: RedisSettings = RedisSettings()
    web: WebSettings = WebSettings()
    limits: LimitSettings = LimitSettings()
    worker: WorkerSettings = WorkerSettings()
    retries: RetriesSettings = RetriesSettings()
    expiry: ExpirySettings = ExpirySettings()
    state: StateSettings = StateSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    jwt: JwtSettings | None = None

    @model_validator(mode="after")
    def _streams_name_bots_that_exist(self) -> Self:
        for name, stream in self.streams.items():
            if stream.bot is not None and stream.bot not in self.telegram.ids:
                raise ValueError(f"streams.{name}.bot: {nearest(stream.bot, self.telegram.bots)}")
        return self

    def secrets(self) -> Iterator[str]:
        """Every secret value, so that the log can leave them out."""
        for bot in self.telegram.bots.values():
            yield bot.token.get_secret_value()
            yield bot.secret_token.get_secret_value()
        for source in self.sources.values():
            yield from (secret.value.get_secret_value() for secret in source.secrets)
            yield from secret_texts(source.options)
        yield from (subscriber.secret.get_secret_value() for subscriber in self.subscribers.values())
        yield from (
            stream.url.get_secret_value() for stream in self.streams.values() if stream.url is not None
        )
        if self.metrics.token is not None:
            yield self.metrics.token.get_secret_value()
        if self.redis.url is not None:
            yield self.redis.url.get_secret_value()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given: `load_settings` reads the file and the environment, a test reads neither."""
        return (init_settings,)
