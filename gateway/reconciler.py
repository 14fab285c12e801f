"""Calls that never came: the providers' APIs are asked, and what they tell takes the same way as a call."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from routers.asker import ApiUnavailable
from routers.call import Call
from routers.credentials import ask_with_any
from routers.dependencies import Asker, WebhookEndpoint, utc_now
from routers.document import Unreadable
from routers.event import OtherEvent
from routers.ingest import envelope_of
from routers.inquiry import AskRecent, Page
from routers.payments.events import PaymentEvent
from routers.question import Question
from routers.refusal import Refused
from routers.verification import Secret
from state.ending import ended
from state.errors import StoreUnavailable
from state.inbox import Disposition, Inbox
from state.inquiries import Inquiries

log: Final = structlog.get_logger(__name__)

#: Pages of one look back; a list that never ends does not hold us.
MAX_PAGES: Final = 50


class CannotAsk(Exception):
    """There is no such source, its provider has no way to ask, or an option or a valid secret is missing."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a source's provider is asked for what has happened lately, and how far back."""

    every: timedelta
    back: timedelta


@dataclass(frozen=True, slots=True)
class Findings:
    """What a provider's API told: how much of it was news, and whether a payment has ended."""

    news: int
    final: bool


NOTHING: Final = Findings(0, final=False)


class Reconciler:
    """
    Asks for what a provider did not tell, or told while nobody listened.

    What it finds has the idempotency keys of the provider's own calls: what is known changes nothing.
    """

    def __init__(
        self,
        endpoints: Mapping[str, WebhookEndpoint],
        asker: Asker,
        inbox: Inbox,
        inquiries: Inquiries,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._endpoints = endpoints
        self._asker = asker
        self._inbox = inbox
        self._inquiries = inquiries
        self._clock = clock

    async def ask(self, source: str, token: str) -> int:
        """
        Ask the provider of *source* what it knows under an expectation's *token*; return what was news.

        Raises:
            CannotAsk: it cannot be asked so.
            ApiUnavailable: the API did not answer.
            StoreUnavailable: Redis did not answer.
        """
        return (await self.ask_about(source, token)).news

    async def ask_about(self, source: str, token: str) -> Findings:
        """
        Ask the provider of *source* about an expectation's *token*; return all that it told.

        Raises as `ask` does.
        """
        endpoint = self._endpoints.get(source)
        inquiry = endpoint.provider.inquiry if endpoint is not None else None
        if endpoint is None or inquiry is None or inquiry.by_token is None:
            raise CannotAsk(source)
        by_token, now = inquiry.by_token, self._clock()
        page = await self._page(endpoint, lambda secrets: by_token(secrets, now, token))
        return await self._take(endpoint, page)

    def can_ask(self, source: str) -> bool:
        """Tell whether the provider of *source* can be asked about one expectation."""
        endpoint = self._endpoints.get(source)
        inquiry = endpoint.provider.inquiry if endpoint is not None else None
        return inquiry is not None and inquiry.by_token is not None

    async def look_back(self, source: str, back: timedelta) -> int:
        """
        List what has happened at the provider of *source* within *back*; return what was news.

        Raises:
            CannotAsk: it cannot be asked so.
            ApiUnavailable: the API did not answer; what was read before is kept.
            StoreUnavailable: Redis did not answer.
        """
        endpoint = self._endpoints.get(source)
        inquiry = endpoint.provider.inquiry if endpoint is not None else None
        if endpoint is None or inquiry is None or inquiry.recent is None:
            raise CannotAsk(source)
        news = 0
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            now = self._clock()
            page = await self._page(endpoint, partial(_recent, inquiry.recent, now, now - back, cursor))
            news += (await self._take(endpoint, page)).news
            cursor = page.cursor
            too_old = page.oldest is not None and page.oldest < now - back
            if cursor is None or cursor in seen or too_old:
                break
            seen.add(cursor)
        return news

    @asynccontextmanager
    async def working(self, paces: Mapping[str, Pace]) -> AsyncIterator[None]:
        """Look back at each source that can be asked, at its pace, until the end of the block."""
        tasks = [
            asyncio.create_task(self._keep_looking(name, pace), name=f"reconciler {name}")
            for name, pace in paces.items()
            if pace.every and self._can_list(name)
        ]
        try:
            yield
        finally:
            await ended(*tasks)

    def _can_list(self, name: str) -> bool:
        inquiry = self._endpoints[name].provider.inquiry
        return inquiry is not None and inquiry.recent is not None

    async def _keep_looking(self, source: str, pace: Pace) -> None:
        while True:
            try:
                if await self._inquiries.take_turn(source, lasts=pace.every):
                    news = await self.look_back(source, pace.back)
                    log.info("looked_back", source=source, news=news)
            except ApiUnavailable as error:
                log.warning("provider_unavailable", source=source, host=error.host, why=error.why)
            except (StoreUnavailable, CannotAsk) as error:
                log.warning("could_not_look_back", source=source, error=type(error).__name__)
            except Exception:
                log.exception("looking back failed; it is tried again", source=source)
            await asyncio.sleep(pace.every.total_seconds())

    async def _page(
        self, endpoint: WebhookEndpoint, question_with: Callable[[Sequence[Secret]], Question]
    ) -> Page:
        try:
            _, answer = await ask_with_any(question_with, endpoint.secrets, self._asker)
        except Refused:
            raise CannotAsk(endpoint.name) from None
        inquiry = endpoint.provider.inquiry
        if answer is None or inquiry is None:
            return Page(())
        try:
            return inquiry.read(answer)
        except Unreadable as error:
            raise ApiUnavailable(endpoint.name, f"unreadable answer: {error.where}") from error

    async def _take(self, endpoint: WebhookEndpoint, page: Page) -> Findings:
        told = [await self._accept(endpoint, call) for call in page.calls]
        return Findings(sum(each.news for each in told), any(each.final for each in told))

    async def _accept(self, endpoint: WebhookEndpoint, call: Call) -> Findings:
        """Put what *call* tells in the inbox."""
        now = self._clock()
        try:
            translation = endpoint.provider.translate(call, now)
        except Unreadable as error:
            log.warning("unreadable", source=endpoint.name, where=error.where)
            return NOTHING
        # What carries no token is of nobody here: an account may serve others too.
        if translation.token is None or isinstance(translation.event, OtherEvent):
            return NOTHING
        envelope = envelope_of(call, translation, endpoint.name, now)
        disposition = await self._inbox.accept(envelope, remember_for=endpoint.provider.remember_for)
        final = isinstance(translation.event, PaymentEvent) and translation.event.is_final
        return Findings(int(disposition is not Disposition.DUPLICATE), final)


def _recent(
    recent: AskRecent, now: datetime, since: datetime, cursor: str | None, secrets: Sequence[Secret]
) -> Question:
    return recent(secrets, now, since, cursor)
