"""The conversation's state in an update's data, as aiogram's middleware puts it there."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiogram.fsm.middleware import FSMContextMiddleware
from aiogram.fsm.storage.memory import DisabledEventIsolation
from aiogram.types import TelegramObject


def quickened(middleware: Callable[..., Any]) -> Callable[..., Any]:
    """Return what may take the place of *middleware*, which for most is itself."""
    return partial(_fsm_context, middleware) if type(middleware) is FSMContextMiddleware else middleware


async def _fsm_context(
    fsm: FSMContextMiddleware,
    handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
    event: TelegramObject,
    data: dict[str, Any],
) -> Any:
    """`FSMContextMiddleware.__call__`. To enter the isolation that isolates nothing would take 3 us."""
    if type(fsm.events_isolation) is not DisabledEventIsolation:
        return await fsm(handler, event, data)
    context = fsm.resolve_event_context(data["bot"], data)
    data["fsm_storage"] = fsm.storage
    if context:
        data.update({"state": context, "raw_state": await context.get_state()})
    return await handler(event, data)
