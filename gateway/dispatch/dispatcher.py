"""aiogram's dispatcher, with the way of an event through its routers planned once for each kind."""

import logging
import time
from typing import Any, Final

from aiogram import Bot, Dispatcher, loggers
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.types import TelegramObject, Update

from gateway.dispatch.plan import Plan, UpdatePlan, plan_of_all

_NO_KIND: Final = frozenset({"update_id"})
#: What an update can hold.
KINDS: Final = frozenset(Update.model_fields) - _NO_KIND


class PlannedDispatcher(Dispatcher):
    """
    A `Dispatcher` whose bot notices nothing but the time.

    aiogram walks its routers and wraps their middlewares for each update anew. Here both are done once for
    each kind of event, and again when a router, a handler, a middleware or a root filter has come or gone.
    The names of states and the filters of a registered handler are taken to stay. Data under a name that
    aiogram needs for itself, such as ``event``, are no TypeError here.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._updates: UpdatePlan | None = None
        self._plans: dict[str, Plan] = {}

    async def feed_update(self, bot: Bot, update: Update, **kwargs: Any) -> Any:
        """Let *update* pass the dispatcher's own middlewares, and reach `propagate_event`."""
        began = time.monotonic()
        response: Any = UNHANDLED
        if not _is_mounted(update, bot):
            update = Update.model_validate(update.model_dump(), context={"bot": bot})
        if self._updates is None or not self._updates.sources.unchanged:
            self._updates = UpdatePlan(self.update)
        try:
            response = await self._updates.feed(
                update, {"dispatcher": self, **self.workflow_data, **kwargs, "bot": bot}
            )
        finally:
            if loggers.event.isEnabledFor(logging.INFO):
                loggers.event.info(
                    "Update id=%s is %s. Duration %d ms by bot id=%d",
                    update.update_id,
                    "not handled" if response is UNHANDLED else "handled",
                    (time.monotonic() - began) * 1000,
                    bot.id,
                )
        return response

    async def _listen_update(self, update: Update, **kwargs: Any) -> Any:
        """Let the routers have what *update* holds, if it holds one thing that they know."""
        # aiogram keeps the kinds of updates by their hashes; to hash one takes 9 us, and it does so twice.
        kinds = update.model_fields_set - _NO_KIND
        if type(update) is Update and len(kinds) == 1 and (kind := next(iter(kinds))) in KINDS:
            event = vars(update)[kind]
            if event is not None:
                kwargs["event_update"] = update
                return await self.propagate_event(kind, event, **kwargs)
        return await super()._listen_update(update, **kwargs)

    async def propagate_event(self, update_type: str, event: TelegramObject, **kwargs: Any) -> Any:
        """Let the routers have *event*: what an update holds, or an error."""
        plan = self._plans.get(update_type)
        if plan is None or not plan.sources.unchanged:
            plan = self._plans[update_type] = plan_of_all(self, update_type, super().propagate_event)
        return await plan.propagate(event, kwargs)


def _is_mounted(update: Update, bot: Bot) -> bool:
    # pydantic takes 2 us to find the private attribute behind `update.bot`.
    private = update.__pydantic_private__
    return (private is not None and private.get("_bot") is bot) or update.bot == bot
