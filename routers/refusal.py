"""The one refusal."""

from enum import StrEnum
from typing import Final

#: No name of ours and no bot's token is longer.
LONGEST_NAME: Final = 64


class RefusalReason(StrEnum):
    """Why a call was refused. For the log and the operator; the caller is never told."""

    UNKNOWN_SOURCE = "unknown_source"
    """No source (or bot) of that name is configured."""
    NO_USABLE_SECRET = "no_usable_secret"  # noqa: S105 - a reason, not a secret
    """The source has no secret that is valid now."""
    HEADER_MISSING = "header_missing"
    HEADER_REPEATED = "header_repeated"
    HEADER_MALFORMED = "header_malformed"
    """Not ASCII, too long, or not in the form that the provider documents."""
    UNSIGNED_BY_SENDER = "unsigned_by_sender"
    """The sender says itself that it has no secret configured."""
    SIGNATURE_WRONG = "signature_wrong"
    """Well-formed, but not made with any of our valid secrets over these bytes."""
    TOO_OLD = "too_old"
    IN_FUTURE = "in_future"
    BODY_MALFORMED = "body_malformed"
    """What is signed inside the body cannot be found there."""
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    """The caller's address is in none of the provider's networks."""
    KEY_UNUSABLE = "key_unusable"
    """The configured or fetched key is not one that this scheme can use."""
    NOT_CONFIRMED = "not_confirmed"
    """The provider's API does not know what the call tells of."""
    METHOD_NOT_TAKEN = "method_not_taken"


class Refused(Exception):
    """The call is not proven genuine. *detail* may be logged: it never holds a secret or a signature."""

    def __init__(self, reason: RefusalReason, detail: str = "") -> None:
        super().__init__(reason.value, detail)
        self.reason = reason
        self.detail = detail


def as_logged(name: str) -> str:
    """Return what a caller has named, for the log: whole or not at all, as half a secret is not found."""
    return name if len(name) <= LONGEST_NAME else f"({len(name)} characters)"
