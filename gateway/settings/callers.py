"""`[sources]`: who calls us, and how they prove who they are."""

from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BeforeValidator, Field, SecretStr, model_validator

from gateway.settings.section import Section


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
    options: dict[str, Any] = Field(default_factory=dict)
    """What this kind takes besides; its provider's page lists it."""
    rate_per_second: float | None = Field(default=None, gt=0, le=100_000)
    """What it may send to one process, one second's worth at once; more is answered 429."""
    ask_every_minutes: float = Field(default=15, ge=0, le=1440)
    """How often the provider's API is asked for what never came, where that is possible; 0: never."""
    ask_back_hours: float = Field(default=24, gt=0, le=720)
    """How far back: at least as long as a payment may take from its beginning to its end."""
