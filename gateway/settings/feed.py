"""`[feed]`: the last changes of state, for `GET /v1/stream`."""

from datetime import timedelta

from pydantic import Field

from gateway.settings.section import Section


class FeedSettings(Section):
    length: int = Field(default=10_000, ge=0, le=10_000_000)
    """About so many changes are kept, for those who look on and come back; 0: no feed."""
    keep_hours: float = Field(default=24, gt=0, le=24 * 365)
    """For so long after the last one."""

    @property
    def keep(self) -> timedelta:
        return timedelta(hours=self.keep_hours)
