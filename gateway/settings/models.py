"""The settings and their limits. A docstring under a field is its documentation."""

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

_TOKEN: Final = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]+")
#: https://core.telegram.org/bots/api#setwebhook
_SECRET_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")

#: A name stands in URLs, keys and log lines; variables of the environment reach lower-case names only.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class BotSettings(Section):
    token: SecretStr
    """As BotFather gave it."""
    secret_token: SecretStr
    """What Telegram sends with each update; without it anybody could pretend to be Telegram."""
    api_base: HttpUrl | None = None
    """A Bot API server of one's own."""

    @field_validator("token")
    @classmethod
    def _looks_like_a_token(cls, token: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("is not a bot token; BotFather's look like 123456789:AbC-dEf_1")
        return token

    @field_validator("secret_token")
    @classmethod
    def _is_what_telegram_takes(cls, secret: SecretStr) -> SecretStr:
        if not _SECRET_TOKEN.fullmatch(secret.get_secret_value()):
            raise ValueError("must be 1 to 256 of the characters A-Z a-z 0-9 _ - (Telegram's rule)")
        return secret

    @property
    def bot_id(self) -> int:
        return int(self.token.get_secret_value().partition(":")[0])


class TelegramSettings(Section):
    bots: dict[Name, BotSettings] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_bot_once(self) -> Self:
        names: dict[int, str] = {}
        for name, bot in self.bots.items():
            if bot.bot_id in names:
                raise ValueError(f"{names[bot.bot_id]} and {name} are the same bot; remove one of them")
            names[bot.bot_id] = name
        return self


class SourceSecret(Section):
    value: SecretStr = Field(min_length=1)
    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None
    """With a successor listed beside it, a secret is rolled without a gap."""

    @model_validator(mode="after")
    def _lasts_a_while(self) -> Self:
        if self.not_before and self.not_after and self.not_before >= self.not_after:
            raise ValueError("is never valid; not_before must be earlier than not_after")
        return self


def _as_table(secret: Any) -> Any:
    return {"value": secret} if isinstance(secret, str) else secret


def _as_list(secrets: Any) -> Any:
    return [secrets] if isinstance(secrets, str | dict) else secrets


class SourceSettings(Section):
    kind: str
    secrets: Annotated[
        tuple[Annotated[SourceSecret, BeforeValidator(_as_table)], ...], BeforeValidator(_as_list)
    ] = Field(min_length=1)
    """Each a string, or a table with `value` and optional `not_before`, `not_after`. Any valid one opens."""


class DurabilitySetting(Enum):
    EVERYSEC = "everysec"
    ALWAYS = "always"


class RedisSettings(Section):
    url: SecretStr | None = None
    """May hold a password. Absent: a server of our own is started on `data_dir`."""
    data_dir: Path = Path(".gateway/redis")
    prefix: str = Field(default="gw", pattern=r"^[A-Za-z0-9_.-]{1,32}$")
    """What every key begins with; two gateways with different ones can share a Redis."""
    partitions: int = Field(default=64, ge=1, le=256)
    """Fixed at the first start."""
    durability: DurabilitySetting = DurabilitySetting.EVERYSEC
    """How the embedded Redis writes its append-only file; a Redis at `url` has its own configuration."""

    @field_validator("url")
    @classmethod
    def _is_a_redis_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return url


class WebSettings(Section):
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8080, ge=0, le=65_535)
    """0: any free one, which is logged."""
    body_limit_bytes: int = Field(default=1024 * 1024, ge=1024, le=64 * 1024 * 1024)
    public_url: HttpUrl | None = None
    """How the world reaches us; what webhooks are registered under."""


class WorkerSettings(Section):
    lease_seconds: float = Field(default=10, ge=1, le=300)
    """After this long without a sign of life, another worker takes over."""
    concurrency: int = Field(default=64, ge=1, le=4096)
    """Conversations handled at once, in one process."""
    handler_seconds: float = Field(default=30, gt=0, le=3600)
    """A handler that takes longer is cancelled and tried again."""
    drain_seconds: float = Field(default=20, gt=0, le=600)
    """How long a stop waits for what has begun; what is left stays in the inbox."""

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def handler_limit(self) -> timedelta:
        return timedelta(seconds=self.handler_seconds)

    @property
    def drain(self) -> timedelta:
        return timedelta(seconds=self.drain_seconds)


class ExpirySettings(Section):
    conversation_days: int = Field(default=90, ge=1, le=3650)
    """Since its last use."""
    unresolved_days: int = Field(default=30, ge=1, le=365)
    """How long an event whose user is not known yet is kept."""
    dead_letter_days: int = Field(default=30, ge=1, le=365)

    @property
    def conversation(self) -> timedelta:
        return timedelta(days=self.conversation_days)

    @property
    def unresolved(self) -> timedelta:
        return timedelta(days=self.unresolved_days)

    @property
    def dead_letter(self) -> timedelta:
        return timedelta(days=self.dead_letter_days)


class LogLevel(Enum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogForm(Enum):
    AUTO = "auto"
    """Readable on a terminal, JSON lines otherwise."""
    CONSOLE = "console"
    JSON = "json"


class LogSettings(Section):
    level: LogLevel = LogLevel.INFO
    form: LogForm = LogForm.AUTO


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
    redis: RedisSettings = RedisSettings()
    web: WebSettings = WebSettings()
    worker: WorkerSettings = WorkerSettings()
    expiry: ExpirySettings = ExpirySettings()
    log: LogSettings = LogSettings()

    def secrets(self) -> Iterator[str]:
        """Every secret value, so that the log can leave them out."""
        for bot in self.telegram.bots.values():
            yield bot.token.get_secret_value()
            yield bot.secret_token.get_secret_value()
        for source in self.sources.values():
            yield from (secret.value.get_secret_value() for secret in source.secrets)
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
