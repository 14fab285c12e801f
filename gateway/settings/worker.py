"""`[worker]`: how events are worked off."""

from datetime import timedelta

from pydantic import Field

from gateway.settings.section import Section


class WorkerSettings(Section):
    lease_seconds: float = Field(default=10, ge=1, le=300)
    """After this long without a sign of life, another worker takes over."""
    concurrency: int = Field(default=64, ge=1, le=4096)
    """Conversations handled at once, in one process."""
    handler_seconds: float = Field(default=30, gt=0, le=3600)
    """A handler that takes longer is cancelled and tried again."""
    query_seconds: float = Field(default=8, gt=0, lt=10)
    """A checkout or shipping query that no handler has answered by then is declined; Telegram waits 10 s."""
    drain_seconds: float = Field(default=20, gt=0, le=600)
    """How long a stop waits for what has begun; what is left stays in the inbox."""

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def handler_limit(self) -> timedelta:
        return timedelta(seconds=self.handler_seconds)

    @property
    def answer_within(self) -> timedelta:
        return timedelta(seconds=self.query_seconds)

    @property
    def drain(self) -> timedelta:
        return timedelta(seconds=self.drain_seconds)
