"""Queries that a user's payment waits for: https://core.telegram.org/bots/api#answerprecheckoutquery"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.methods import AnswerPreCheckoutQuery, AnswerShippingQuery
from aiogram.types import PreCheckoutQuery, ShippingQuery, Update

from gateway.direct_calls import DirectCalls
from routers.document import find_token
from routers.event import Customer
from routers.payments.events import PaymentCheck
from routers.telegram.payments import PROVIDER as TELEGRAM
from state.journal import Journal

log = structlog.get_logger(__name__)

DeadlineQuery: TypeAlias = PreCheckoutQuery | ShippingQuery
QueryAnswer: TypeAlias = AnswerPreCheckoutQuery | AnswerShippingQuery

#: Who is late already does not wait long for Telegram.
DECLINE_SECONDS: Final = 5
_ANSWERS: Final = (AnswerPreCheckoutQuery, AnswerShippingQuery)


def query_of(update: Update | None) -> DeadlineQuery | None:
    """Return the query that *update* is, if it has a deadline."""
    return (update.pre_checkout_query or update.shipping_query) if update is not None else None


def check_of(query: DeadlineQuery) -> tuple[PaymentCheck, str] | None:
    """
    What *query* asks in the words of all providers, and the token that its invoice carries.

    None: a question about shipping, or the bot's own payload. Amounts are whole numbers of the currency's
    smallest unit: https://core.telegram.org/bots/api#precheckoutquery
    """
    if not isinstance(query, PreCheckoutQuery):
        return None
    token = find_token(query.invoice_payload)
    if token is None:
        return None
    order = query.order_info
    check = PaymentCheck(
        provider=TELEGRAM,
        object_id=query.id,
        occurred_at=datetime.now(UTC),
        customer=Customer(
            name=order.name if order else None,
            email=order.email if order else None,
            phone=order.phone_number if order else None,
            locale=query.from_user.language_code,
        ),
        amount_minor=query.total_amount,
        currency=query.currency,
    )
    return check, token


def consent(query: DeadlineQuery) -> AnswerPreCheckoutQuery:
    """Return the answer that lets the payment be made."""
    return AnswerPreCheckoutQuery(pre_checkout_query_id=query.id, ok=True)


def refusal(query: DeadlineQuery, text: str) -> QueryAnswer:
    """Return the answer that stops the payment and tells the user *text*."""
    if isinstance(query, ShippingQuery):
        return AnswerShippingQuery(shipping_query_id=query.id, ok=False, error_message=text)
    return AnswerPreCheckoutQuery(pre_checkout_query_id=query.id, ok=False, error_message=text)


class Queries:
    """
    Sees to it that each query is answered, once.

    An answer goes to Telegram directly and not through the outbox, whose pace is the chat's.
    """

    def __init__(self, declined_text: Callable[[DeadlineQuery], str]) -> None:
        self._declined_text = declined_text

    def refused(self, query: DeadlineQuery) -> QueryAnswer:
        """Return the answer that says no in the bot's own words."""
        return refusal(query, self._declined_text(query))

    async def settle(self, bot: Bot, query: DeadlineQuery, result: Any, calls: DirectCalls) -> Any:
        """Answer what the handler returned, or no if it has not answered; return what is left of *result*."""
        if isinstance(result, _ANSWERS):
            await bot(result)
            return None
        if not calls.has_made(*_ANSWERS):
            log.warning("no handler has answered the query, so it is declined", query=query.id)
            await bot(self.refused(query))
        return result

    async def decline(self, query: DeadlineQuery | None, journal: Journal) -> None:
        """Tell the user no whose query was not answered in time, unless a run has answered it."""
        if query is None or query.bot is None or DirectCalls(journal).has_made(*_ANSWERS):
            return
        try:
            await query.bot(self.refused(query), request_timeout=DECLINE_SECONDS)
        except TelegramAPIError as error:
            log.warning("a query could not be declined", query=query.id, error=error.message)
