"""`[limits]`: from where on callers are asked to come again."""

from datetime import timedelta

from pydantic import Field

from gateway.settings.section import Section


class LimitSettings(Section):
    inbox_events: int = Field(default=20_000, ge=1, le=10_000_000)
    """What one partition may owe; more is answered 503. Parked events don't count."""
    inbox_age_seconds: float = Field(default=3600, gt=0, le=86_400)
    """A partition that owes an event for longer takes no more; parked and retried ones don't count."""
    request_seconds: float = Field(default=15, gt=0, le=300)
    """How long a call may take to come and be stored."""

    @property
    def inbox_age(self) -> timedelta:
        return timedelta(seconds=self.inbox_age_seconds)

    @property
    def request(self) -> timedelta:
        return timedelta(seconds=self.request_seconds)
