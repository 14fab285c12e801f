"""Faults on demand: what a network and a busy Telegram do to a caller."""

from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """What can happen to a call."""

    TOO_MANY_REQUESTS = "too_many_requests"
    """429; `seconds` is its retry_after."""
    SERVER_ERROR = "server_error"
    """500; nothing is applied."""
    BAD_GATEWAY = "bad_gateway"
    """502; nothing is applied."""
    HANG = "hang"
    """Nothing is applied and nothing is answered."""
    DROP = "drop"
    """Nothing is applied, the connection is closed."""
    LOST_ANSWER = "lost_answer"
    """The call is applied, the connection is closed: the caller cannot know."""
    LATE_ANSWER = "late_answer"
    """The call is applied at once and answered after `seconds`."""
    DELAY = "delay"
    """The call is applied and answered after `seconds`."""


@dataclass(slots=True)
class Fault:
    """What happens to the next *times* calls of *method* (any if None) in *chat_id* (any if None)."""

    kind: FaultKind
    times: int = 1
    method: str | None = None
    chat_id: int | None = None
    seconds: float = 1

    def concerns(self, method: str, chat_id: int | None) -> bool:
        """Whether a call of *method* in *chat_id* meets this fault."""
        return (self.method is None or self.method.lower() == method.lower()) and (
            self.chat_id is None or self.chat_id == chat_id
        )


class Faults:
    """The faults still to happen, in the order they were asked for."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(
        self,
        kind: FaultKind,
        *,
        times: int = 1,
        method: str | None = None,
        chat_id: int | None = None,
        seconds: float = 1,
    ) -> Fault:
        """Let the next *times* calls that it concerns meet this fault."""
        fault = Fault(kind, times, method, chat_id, seconds)
        self._pending.append(fault)
        return fault

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """The fault that this call meets, counted down; None: the call goes well."""
        for fault in self._pending:
            if fault.concerns(method, chat_id):
                fault.times -= 1
                if fault.times <= 0:
                    self._pending.remove(fault)
                return fault
        return None

    def pending(self) -> list[Fault]:
        """The faults still to happen."""
        return list(self._pending)

    def clear(self) -> None:
        """Let everything go well again."""
        self._pending.clear()
