"""What all that goes out to Telegram shares: the limits, and what is known of the chats."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from aiogram import Bot

from gateway.delivery import Delivery
from gateway.paced_calls import PaceCalls
from gateway.rate_limits import RateLimits
from gateway.sender import Sender
from gateway.settings import Settings
from state.budgets import Budgets
from state.chats import Chats
from state.migrations import Migrations
from state.outbox import Outbox
from state.scripts import Scripts


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One for each process: delivery goes through it, and so does what a bot's own code sends."""

    limits: RateLimits
    chats: Chats
    scripts: Scripts
    settings: Settings

    @classmethod
    def of(cls, settings: Settings, scripts: Scripts) -> Self:
        bots = settings.telegram.bots.values()
        return cls(
            RateLimits(Budgets(scripts), {bot.bot_id: bot.sends_per_second for bot in bots}),
            Chats(scripts, remember_for=settings.expiry.conversation),
            scripts,
            settings,
        )

    def pace(self, bots: Iterable[Bot]) -> None:
        """Have the bots' own calls keep to the limits."""
        for bot in bots:
            bot.session.middleware(PaceCalls(self.limits, self.chats))

    def delivery(
        self,
        bots: Mapping[int, Bot],
        *,
        is_garbage: Callable[[str | None], bool],
        now_ms: Callable[[], int],
    ) -> Delivery:
        """Return the delivery of this process."""
        settings = self.settings
        paid = {bot.bot_id for bot in settings.telegram.bots.values() if bot.allow_paid_broadcast}
        return Delivery(
            Outbox(self.scripts.calls, self.scripts.keys),
            self.scripts,
            bots,
            limits=self.limits,
            chats=self.chats,
            migrations=Migrations(self.scripts, remember_for=settings.expiry.conversation),
            sender=Sender(paid_broadcast=paid),
            is_garbage=is_garbage,
            conversation_expires_after=settings.expiry.conversation,
            now_ms=now_ms,
        )
