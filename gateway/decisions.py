"""Payments that a provider asks about before it takes the money: expected? and does the feature agree?"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import structlog
from aiogram import Bot
from aiogram.fsm.context import FSMContext

from gateway.container import Container
from gateway.director import Director
from gateway.gateway import Gateway
from routers.decision import Decision
from routers.payments.events import PaymentCheck
from state.conversation import Conversation
from state.expectations import Expectation, Expectations

log: Final = structlog.get_logger(__name__)

#: The buyer looks at a spinner meanwhile.
BUDGET: Final = timedelta(seconds=5)


class Decisions:
    """
    Answers on the committed state, beside all queues.

    What a feature's `decide` changes is dropped: it says yes or no.
    """

    def __init__(
        self,
        gateway: Gateway,
        container: Container,
        expectations: Expectations,
        *,
        budget: timedelta = BUDGET,
    ) -> None:
        self._gateway = gateway
        self._container = container
        self._bots: Mapping[int, Bot] = container.bots
        self._expectations = expectations
        self._budget_seconds = budget.total_seconds()

    async def decide(self, check: PaymentCheck, token: str | None) -> Decision:
        """Decide within the budget; who is late or fails has declined."""
        try:
            async with asyncio.timeout(self._budget_seconds):
                decision = await self._decide(check, token)
        except TimeoutError:
            decision = Decision.LATE
        except Exception:
            # A fault in a bot's handler must not take somebody's money.
            log.exception("decide failed; the payment is declined", provider=check.provider)
            decision = Decision.DECLINED
        log.info("decided", provider=check.provider, object=check.object_id, decision=decision.value)
        return decision

    async def _decide(self, check: PaymentCheck, token: str | None) -> Decision:
        found = await self._expectations.find(token) if token is not None else None
        if found is None:
            return Decision.UNKNOWN
        expectation = found.expectation
        if expectation.amount_minor is not None and (
            (check.amount_minor, check.currency) != (expectation.amount_minor, expectation.currency)
        ):
            return Decision.MISMATCHED
        feature = self._gateway.features.get(expectation.feature)
        if feature is None or feature.decider is None:
            return Decision.ACCEPTED
        answer = await self._ask(feature.decider.call, check, found.conversation, expectation)
        return Decision.DECLINED if answer is False else Decision.ACCEPTED

    async def _ask(
        self, call: Any, check: PaymentCheck, conversation: Conversation, expectation: Expectation
    ) -> Any:
        storage = self._container.storage
        unit = await storage.unit_of_work(conversation)
        state = FSMContext(storage=storage, key=conversation.storage_key())
        bot = self._bots.get(conversation.bot_id)
        director = Director(state, unit, self._gateway.features, bot=bot, guards=self._gateway.guards)
        try:
            with unit.current():
                return await call(
                    check,
                    director=director,
                    state=state,
                    expectation=expectation,
                    bot=bot,
                    container=self._container,
                )
        finally:
            unit.closed = True
