"""`[telegram]`: the bots, their tokens and their API servers."""

import re
from collections.abc import Mapping
from typing import Final, Self

from pydantic import Field, HttpUrl, SecretStr, field_validator, model_validator

from gateway.settings.section import Name, Section

_TOKEN: Final = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]+")
#: https://core.telegram.org/bots/api#setwebhook
_SECRET_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")


class BotSettings(Section):
    token: SecretStr
    """As BotFather gave it."""
    secret_token: SecretStr
    """What Telegram sends with each update; without it anybody could pretend to be Telegram."""
    api_base: HttpUrl | None = None
    """A Bot API server of one's own."""
    set_webhook: bool = True
    """With `web.public_url`, Telegram is told at start where this bot's updates go, if it does not know."""
    rate_per_second: float | None = Field(default=None, gt=0, le=100_000)
    """As for a source."""
    sends_per_second: int = Field(default=30, ge=1, le=1000)
    """Messages of this bot, from all processes together. More than 30 only with `allow_paid_broadcast`."""
    allow_paid_broadcast: bool = False
    """Each message beyond 30 a second costs Stars: https://core.telegram.org/bots/api#paid-broadcasts"""

    @model_validator(mode="after")
    def _pays_for_more(self) -> Self:
        if self.sends_per_second > 30 and not self.allow_paid_broadcast:
            raise ValueError(
                "sends more than 30 a second, which costs Stars; set allow_paid_broadcast = true"
            )
        return self

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

    @property
    def ids(self) -> Mapping[str, int]:
        """The bots' ids, by the name of each and by the id as text."""
        return {key: bot.bot_id for name, bot in self.bots.items() for key in (name, str(bot.bot_id))}

    @model_validator(mode="after")
    def _each_bot_once(self) -> Self:
        names: dict[int, str] = {}
        for name, bot in self.bots.items():
            if bot.bot_id in names:
                raise ValueError(f"{names[bot.bot_id]} and {name} are the same bot; remove one of them")
            names[bot.bot_id] = name
        return self
