"""What a provider's API can be asked without a call of its own: for calls that never came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from routers.call import Call
from routers.question import Question
from routers.verification import Secret


@dataclass(frozen=True, slots=True)
class Page:
    """
    Part of a list: each call is as if it had come.

    *cursor* leads to the next part (None: there is none). *oldest* is when the last object of the part came
    into being, of a list that begins with the newest and does not stop by itself.
    """

    calls: Sequence[Call]
    cursor: str | None = None
    oldest: datetime | None = None


AskRecent: TypeAlias = Callable[[Sequence[Secret], datetime, datetime, str | None], Question]
"""(secrets, now, since when, cursor) to the question for one page. Raises `Refused` without a secret."""

AskByToken: TypeAlias = Callable[[Sequence[Secret], datetime, str], Question]
"""(secrets, now, an expectation's token) to the question about it. Raises `Refused` without a secret."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """
    How the API lists what has happened lately, or finds what carries a token; or both.

    *read* makes calls of an answer that the provider's translator understands, with the idempotency keys that
    their notifications have. It raises `Unreadable` for an answer in another form.
    """

    read: Callable[[bytes], Page]
    recent: AskRecent | None = None
    by_token: AskByToken | None = None
