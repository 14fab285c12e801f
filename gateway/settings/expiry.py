"""`[expiry]`: how long what is kept."""

from datetime import timedelta

from pydantic import Field

from gateway.settings.section import Section


class ExpirySettings(Section):
    conversation_days: int = Field(default=90, ge=1, le=3650)
    """Since its last use."""
    draft_hours: float | None = Field(default=None, gt=0, le=87_600)
    """Of a draft since its last use, unless its manager says otherwise; absent: as the conversation."""
    unresolved_days: int = Field(default=30, ge=1, le=365)
    """How long an event whose user is not known yet is kept."""
    dead_letter_days: int = Field(default=30, ge=1, le=365)

    @property
    def conversation(self) -> timedelta:
        return timedelta(days=self.conversation_days)

    @property
    def draft(self) -> timedelta | None:
        return timedelta(hours=self.draft_hours) if self.draft_hours is not None else None

    @property
    def unresolved(self) -> timedelta:
        return timedelta(days=self.unresolved_days)

    @property
    def dead_letter(self) -> timedelta:
        return timedelta(days=self.dead_letter_days)
