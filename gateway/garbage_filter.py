"""A filter for chat handlers: the conversation is in a garbage state."""

from typing import Any

from aiogram.filters import Filter
from aiogram.types import TelegramObject

from state.garbage import GarbageStateRegistry


class IsGarbageStateFilter(Filter):
    """
    Lets an update pass whose conversation is in a garbage state.

    In a gateway its own garbage states count, and those registered on the class `GarbageStateRegistry`;
    elsewhere the latter only, or those of *registry*.
    """

    def __init__(self, registry: GarbageStateRegistry | None = None) -> None:
        self._registry = registry

    async def __call__(
        self,
        event: TelegramObject,  # noqa: ARG002 - aiogram passes it
        raw_state: str | None = None,
        garbage: GarbageStateRegistry | None = None,
        **_: Any,
    ) -> bool:
        registry = self._registry or garbage
        if registry is not None and registry.is_garbage(raw_state):
            return True
        return GarbageStateRegistry.is_garbage(raw_state)
