"""A context variable's value for the length of a ``with`` block."""

from contextvars import ContextVar, Token
from types import TracebackType
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Within(Generic[Value]):
    """Sets *variable* to *value* within a ``with`` block. A class: each event enters several."""

    __slots__ = ("_mark", "_value", "_variable")

    def __init__(self, variable: ContextVar[Value], value: Value) -> None:
        self._variable = variable
        self._value = value

    def __enter__(self) -> None:
        self._mark: Token[Value] = self._variable.set(self._value)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._variable.reset(self._mark)
