"""The log of all calls."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

MAX_KEPT = 100_000


class Outcome(Enum):
    """How a call ended."""

    OK = "ok"
    REFUSED = "refused"
    """Answered `ok: false` by the rules."""
    FAULT = "fault"
    """Met a fault before anything was applied."""
    LOST = "lost"
    """Applied, but the answer did not reach the caller."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call with its end."""

    method: str
    parameters: dict[str, Any]
    bot_id: int
    chat_id: int | None
    at: float
    """Seconds since the epoch."""
    outcome: Outcome
    error_code: int | None = None
    description: str | None = None
    message_id: int | None = None
    """Of the message that the call made or changed."""

    def as_json(self) -> dict[str, Any]:
        """The call as the control surface shows it."""
        return {**asdict(self), "outcome": self.outcome.value}


class Calls:
    """Every call in the order of its end, the oldest forgotten beyond MAX_KEPT."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=MAX_KEPT)

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls)

    def __len__(self) -> int:
        return len(self._calls)

    def note(self, call: Call) -> None:
        """Append *call*."""
        self._calls.append(call)

    def of(self, method: str | None = None, chat_id: int | None = None) -> list[Call]:
        """The calls of one method, of one chat, or all."""
        return [
            call
            for call in self._calls
            if (method is None or call.method.lower() == method.lower())
            and (chat_id is None or call.chat_id == chat_id)
        ]

    def counts(self) -> dict[str, dict[str, int]]:
        """Calls by method and outcome."""
        counted: dict[str, Counter[str]] = {}
        for call in self._calls:
            counted.setdefault(call.method, Counter())[call.outcome.value] += 1
        return {method: dict(outcomes) for method, outcomes in counted.items()}

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
