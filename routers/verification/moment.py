"""How far a signed timestamp may be from our clock."""

from datetime import datetime, timedelta
from typing import Final

from routers.refusal import RefusalReason, Refused

MAX_TIMESTAMP_DIGITS: Final = 12


def check_moment(timestamp: str, now: datetime, tolerance: timedelta) -> None:
    """
    Hold *timestamp* (Unix seconds) to *tolerance* around *now*, both ways.

    Raises:
        Refused: it is no number of seconds, too old, or in the future.
    """
    if not timestamp.isdigit() or len(timestamp) > MAX_TIMESTAMP_DIGITS:
        raise Refused(RefusalReason.HEADER_MALFORMED, "the timestamp is not a number of seconds")
    check_seconds(int(timestamp), now, tolerance)


def check_seconds(signed_at_seconds: float, now: datetime, tolerance: timedelta) -> None:
    """
    Hold a signed time (Unix seconds) to *tolerance* around *now*, both ways.

    Raises:
        Refused: it is too old, or in the future.
    """
    late_seconds = now.timestamp() - signed_at_seconds
    tolerance_seconds = tolerance.total_seconds()
    if late_seconds > tolerance_seconds:
        raise Refused(RefusalReason.TOO_OLD, f"{late_seconds:.0f} s old, {tolerance_seconds:.0f} allowed")
    if -late_seconds > tolerance_seconds:
        raise Refused(
            RefusalReason.IN_FUTURE, f"{-late_seconds:.0f} s early, {tolerance_seconds:.0f} allowed"
        )
