"""Payments that should have ended and have not: their providers are asked, until they have."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import structlog

from gateway.reconciler import CannotAsk, Pace, Reconciler
from routers.asker import ApiUnavailable
from state.ending import ended
from state.errors import StoreUnavailable
from state.overdue import Overdue, OverduePayment, Turn

log: Final = structlog.get_logger(__name__)

#: How late a payment that is due may be asked about.
LOOK_EVERY: Final = timedelta(minutes=1)


class OverdueAsking:
    """
    Asks about the expected payments of the sources in *paces* that have not ended within their time.

    All processes look, and each payment is asked about by one of them.
    """

    def __init__(
        self,
        reconciler: Reconciler,
        overdue: Overdue,
        paces: Mapping[str, Pace],
        *,
        partitions: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._reconciler = reconciler
        self._overdue = overdue
        self._paces = {name: pace for name, pace in paces.items() if pace.every and reconciler.can_ask(name)}
        self._partitions = partitions
        self._now_ms = now_ms

    @asynccontextmanager
    async def working(self, *, look_every: timedelta = LOOK_EVERY) -> AsyncIterator[None]:
        """Ask until the end of the block; without a source that can be asked, nothing is done at all."""
        if not self._paces:
            yield
            return
        looking = asyncio.create_task(self._keep_looking(look_every), name="overdue payments")
        try:
            yield
        finally:
            await ended(looking)

    async def look(self) -> int:
        """
        Ask about every payment that is due; return about how many.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        lists = await asyncio.gather(
            *(self._overdue.due(partition, self._now_ms()) for partition in range(self._partitions))
        )
        return sum([await self._ask(payment) for each in lists for payment in each])

    async def _ask(self, payment: OverduePayment) -> bool:
        pace = self._paces.get(payment.source)
        if pace is None:
            # It is not asked, or not any more: what was expected stays, and its webhook may come.
            log.warning("cannot_ask", source=payment.source)
            await self._overdue.end(payment)
            return False
        if await self._overdue.take(payment, again_after=pace.every) is not Turn.TAKEN:
            return False
        try:
            findings = await self._reconciler.ask_about(payment.source, payment.token)
        except ApiUnavailable as error:
            log.warning("provider_unavailable", source=payment.source, host=error.host, why=error.why)
        except CannotAsk:
            log.warning("cannot_ask", source=payment.source)
        else:
            log.info("asked", source=payment.source, news=findings.news, final=findings.final)
            if findings.final:
                await self._overdue.end(payment)
        return True

    async def _keep_looking(self, every: timedelta) -> None:
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("could_not_look", error=type(error).__name__)
            except Exception:
                log.exception("asking about overdue payments failed; it is tried again")
            await asyncio.sleep(every.total_seconds())
