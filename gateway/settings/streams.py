"""`[streams]`: Redis streams that services of your own write to."""

from datetime import timedelta
from enum import Enum
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, field_validator

from gateway.settings.section import Section
from gateway.settings.store import is_redis_url

#: As a name, and with the underscore that names of streams often have.
StreamName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$")]


class StreamStart(Enum):
    OLDEST = "oldest"
    """All that is in the stream."""
    NEWEST = "newest"
    """Only what is written from now on."""


class StreamSettings(Section):
    key: str | None = Field(default=None, min_length=1)
    """The stream's key, if it is not the name of this table."""
    url: SecretStr | None = None
    """The Redis that holds the stream, if it is not the gateway's own."""
    group: str = Field(default="fsm-gateway", min_length=1)
    start: StreamStart = StreamStart.OLDEST
    """Where the group begins if it was never there."""
    bot: str | None = None
    """The bot, by name or id, of entries that name none."""
    id_field: str | None = Field(default=None, min_length=1)
    """The field by which an entry is known; absent: its meta.id, or else the entry's own id."""
    remember_days: int = Field(default=7, ge=1, le=365)
    """An entry that is written again within this time, under the same id, changes nothing."""

    @field_validator("url")
    @classmethod
    def _is_a_redis_url(cls, url: SecretStr | None) -> SecretStr | None:
        return is_redis_url(url)

    @property
    def remember_for(self) -> timedelta:
        return timedelta(days=self.remember_days)
