"""Money only moves forward, kept per provider's object."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from gateway import Feature, dead_letter
from routers.event import Event
from routers.payments.events import PaymentFailed, PaymentPending, PaymentSucceeded
from state.conversation import Conversation
from state.dead_letters import DeadLetters
from state.envelope import Envelope
from state.inbox import Disposition
from state.outcomes import Replayed
from tests.redis.conftest import Outside, Run
from tests.redis.test_worker import Broken

STEPS: dict[str, type[PaymentPending | PaymentFailed | PaymentSucceeded]] = {
    "pending": PaymentPending,
    "failed": PaymentFailed,
    "succeeded": PaymentSucceeded,
}
Pay = Callable[..., Awaitable[None]]


@pytest.fixture
def pay(outside: Outside, conversation: Conversation) -> Pay:
    """Have the provider send steps of payments, each under an id of its own."""
    count = 0

    async def pay(*steps: str, payment: str = "pi_1") -> None:
        nonlocal count
        for step in steps:
            count += 1
            event = STEPS[step](
                provider="stripe",
                object_id=payment,
                occurred_at=datetime.now(UTC),
                amount_minor=4200,
                currency="EUR",
            )
            envelope = Envelope("stripe", event.type, f"evt_{count}", 0, b"{}", event.encode(), conversation)
            disposition = await outside.inbox.accept(envelope, remember_for=timedelta(hours=1))
            assert disposition is Disposition.ACCEPTED

    return pay


def shop(seen: list[str]) -> Feature:
    """A feature that notes each step."""
    feature = Feature("shop")

    async def note(event: Event) -> None:
        seen.append(f"{event.object_id} {event.type.removeprefix('payment.')}")

    for step in STEPS:
        feature.on(f"payment.{step}")(note)
    return feature


async def test_what_comes_late_changes_nothing(run: Run, outside: Outside, pay: Pay) -> None:
    """Neither an earlier step nor the same one under another id; another payment is not concerned."""
    seen: list[str] = []
    await run(shop(seen))
    await pay("succeeded", "pending", "failed", "succeeded")
    await pay("pending", payment="pi_2")
    await outside.settled()

    assert sorted(seen) == ["pi_1 succeeded", "pi_2 pending"]


async def test_each_failed_attempt_counts(run: Run, outside: Outside, pay: Pay) -> None:
    """A payer may fail twice before the money comes; each failure is a fact of its own."""
    seen: list[str] = []
    await run(shop(seen))
    await pay("pending", "failed", "failed", "pending", "succeeded", "failed")
    await outside.settled()

    assert seen == ["pi_1 pending", "pi_1 failed", "pi_1 failed", "pi_1 succeeded"]


async def test_a_replayed_step_that_was_overtaken_changes_nothing(
    run: Run, outside: Outside, conversation: Conversation, pay: Pay
) -> None:
    """It was given up, the money came meanwhile, and the replay does not bring the payment back."""
    feature, seen = Feature("shop"), []

    @feature.on("payment.pending", state=[], otherwise=dead_letter)
    async def pending(event: Event) -> None:
        raise Broken(event.type)

    @feature.on("payment.succeeded")
    async def succeeded(event: Event) -> None:
        seen.append(event.type)

    await run(feature)
    letters = DeadLetters(outside.scripts)
    await pay("pending", "succeeded")
    await outside.settled()
    [letter] = (await letters.page()).events
    assert await letters.replay(letter.id) is Replayed.REPLAYED
    await outside.settled()

    assert (seen, await letters.count()) == (["payment.succeeded"], 0)
