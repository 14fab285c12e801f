"""Secrets with validity times, so that a rotation drops no call."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from routers.refusal import RefusalReason, Refused


@dataclass(frozen=True, slots=True)
class Secret:
    """
    One shared secret, valid from *not_before* until *not_after* (each optional, both inclusive, aware).

    Raises:
        ValueError: the secret is empty.
    """

    value: bytes = field(repr=False)
    not_before: datetime | None = None
    not_after: datetime | None = None

    def __post_init__(self) -> None:
        if not self.value:
            raise ValueError("a secret must not be empty")

    def usable_at(self, now: datetime) -> bool:
        """Return whether the secret is valid at *now*."""
        return (self.not_before is None or self.not_before <= now) and (
            self.not_after is None or now <= self.not_after
        )


def usable(secrets: Sequence[Secret], now: datetime) -> list[bytes]:
    """
    Return the values of the secrets that are valid at *now*.

    Raises:
        Refused: there is none.
    """
    values = [secret.value for secret in secrets if secret.usable_at(now)]
    if not values:
        raise Refused(RefusalReason.NO_USABLE_SECRET, f"{len(secrets)} configured")
    return values
