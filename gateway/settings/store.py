"""`[redis]`: where all of it is kept."""

from enum import Enum
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, field_validator

from gateway.settings.section import Section
from state.connection import SCHEMES

_SCHEMES: Final = tuple(SCHEMES.replace(" or ", ", ").split(", "))


def is_redis_url(url: SecretStr | None) -> SecretStr | None:
    """Return *url* if it is one of a Redis; a `ValueError` that does not repeat it otherwise."""
    if url is not None and not url.get_secret_value().startswith(_SCHEMES):
        raise ValueError(f"must begin with {SCHEMES}")
    return url


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
    """`always`: an event is acknowledged when it is on disk. A Redis at `url` that does not do so by itself
    (`appendfsync always`) is asked each time, which takes up to a second with its `everysec`."""

    replicas: int = Field(default=0, ge=0, le=10)
    """So many must have an event before it is acknowledged; a failover to one of them loses none."""

    @property
    def wants_disk(self) -> bool:
        return self.durability is DurabilitySetting.ALWAYS

    @field_validator("url")
    @classmethod
    def _is_a_redis_url(cls, url: SecretStr | None) -> SecretStr | None:
        return is_redis_url(url)
