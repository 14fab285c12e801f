"""One booking, from the first message to the cancellation, with everything checked on the way."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.demo.bot.states import Booking
from gateway.demo.callers import SignedCall, calcom_call, stripe_call
from gateway.demo.stage import USER_ID, Miss, Stage
from gateway.demo.user import User

_WAITING = ["Demo Hotels · Private 7001", "Waiting for your payment of 42.00 EUR."]
_NOTICES = ["Pay 42.00 EUR here:", "This page need not stay open: we see here when you have paid."]


@dataclass(frozen=True, slots=True)
class Step:
    """What the world looks like after one step, and what was checked in it."""

    step: str
    state: str | None
    drafts: Mapping[str, Any]
    chat: list[dict[str, Any]]
    checked: list[str] = field(default_factory=list)


class Scenario:
    """
    Plays the steps one after the other, telling *tell* of each.

    Raises:
        Miss: from `play`: something did not come out as promised.
    """

    def __init__(self, stage: Stage, tell: Callable[[Step], None]) -> None:
        self._stage = stage
        self._tell = tell
        self._user = User(stage)
        self._payments: list[SignedCall] = []
        self._checked: list[str] = []

    async def play(self) -> None:
        """Play everything."""
        for name, act in self._steps().items():
            self._checked = []
            await act()
            await self._stage.settled()
            self._tell(await self._seen(name))

    def _steps(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        return {
            "/start shows a menu and a list of hotels": self._start,
            "the user chooses a hotel and confirms": self._book,
            "Stripe tells of the payment, in two events": self._pay,
            "Stripe repeats both, later": self._repeat_payment,
            "Cal.com cancels the booking, twice": self._cancel,
            "what came of it all": self._sum_up,
        }

    async def _start(self) -> None:
        await self._user.write("/start")
        await self._check_state(Booking.choosing_hotel.state)
        self._check("the chat", [_WAITING[0], "Where would you like to stay?"], self._stage.texts())

    async def _book(self) -> None:
        stage = self._stage
        await self._user.press("hotel:7")
        await self._check_state(Booking.confirming.state)
        await self._user.press("confirm")
        await self._check_state(Booking.awaiting_payment.state)
        await self._check_drafts(booking={"hotel_id": 7}, profile={"name": "Private 7001"})
        self._check("the chat", [*_WAITING, *_NOTICES], stage.texts())
        token = self._user.token_in_link("client_reference_id")
        self._payments = [
            stripe_call(stage, "checkout.session.completed", token),
            stripe_call(stage, "payment_intent.succeeded", token),
        ]

    async def _pay(self) -> None:
        for call in self._payments:
            await call.deliver()
        await self._stage.settled()
        await self._check_paid()
        self._check("messages deleted", 2, len(self._stage.api.chats[USER_ID].deleted_ids))

    async def _repeat_payment(self) -> None:
        stage = self._stage
        calls_before = stage.api.calls.counts()
        for call in self._payments:
            await call.deliver()
        await stage.settled()
        await self._check_paid()
        self._check("calls of the Bot API since", calls_before, stage.api.calls.counts())

    async def _cancel(self) -> None:
        stage = self._stage
        call = calcom_call(stage, "BOOKING_CANCELLED", self._user.token_in_link("metadata[token]"))
        await call.deliver()
        await stage.settled()
        await call.deliver()
        await stage.settled()
        await self._check_state(Booking.cancelled.state)
        cancelled = "Your booking is cancelled. /start begins a new one."
        self._check("the chat", [_WAITING[0], cancelled], stage.texts())

    async def _sum_up(self) -> None:
        counts = self._stage.api.calls.counts()
        self._check("messages sent", 4, counts["sendMessage"]["ok"])
        # offer, waiting, paid, cancelled: each of them into the one content message
        self._check("messages edited", 4, counts["editMessageText"]["ok"])
        self._check("messages deleted", 2, len(self._stage.api.chats[USER_ID].deleted_ids))
        self._check("buttons answered", 2, counts["answerCallbackQuery"]["ok"])
        await self._check_drafts(
            booking={"hotel_id": 7, "paid": True, "paid_minor": 4200, "currency": "EUR"},
            profile={"name": "Private 7001"},
        )

    async def _check_paid(self) -> None:
        await self._check_state(Booking.confirmed.state)
        await self._check_drafts(
            booking={"hotel_id": 7, "paid": True, "paid_minor": 4200, "currency": "EUR"},
            profile={"name": "Private 7001"},
        )
        self._check("the chat", [_WAITING[0], "Paid. Your room at Sea View is booked."], self._stage.texts())

    # The checks

    async def _check_state(self, expected: str | None) -> None:
        self._check("the state", expected, await self._stage.state())

    async def _check_drafts(self, **expected: Mapping[str, Any]) -> None:
        self._check("the drafts", expected, _drafts(await self._stage.data()))

    def _check(self, what: str, expected: object, actual: object) -> None:
        if actual != expected:
            raise Miss(f"{what}: expected {expected!r}, and there is {actual!r}")
        self._checked.append(what)

    async def _seen(self, name: str) -> Step:
        stage = self._stage
        return Step(
            name,
            await stage.state(),
            _drafts(await stage.data()),
            stage.api.chats[USER_ID].visible(),
            self._checked,
        )


def _drafts(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key.removeprefix("draft:"): draft for key, draft in sorted(data.items()) if key.startswith("draft:")
    }
