"""Periods as people write them on the command line: 90d, 12h, 30m."""

import re
from datetime import timedelta
from typing import Final

from gateway.refusal import CommandRefused

_PERIOD: Final = re.compile(r"([1-9][0-9]{0,6})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def period(text: str, *, option: str) -> timedelta:
    """
    Return the period that *text* says, which was given with *option*.

    Raises:
        CommandRefused: it says none.
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise CommandRefused([f"{option}: {text} is no period; write 90d, 12h or 30m"])
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
