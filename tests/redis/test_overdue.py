"""Payments that have not ended in their time: the provider is asked, over real HTTP, until they have."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway import Director
from gateway.overdue import OverdueAsking
from gateway.reconciler import Pace, Reconciler
from gateway.runtime import Runtime
from routers.ingest import envelope_of
from routers.payments import cloudpayments
from routers.provider import Example
from state.expectations import Expectations, partition_of_token
from state.faults import now_ms
from state.overdue import Overdue
from tests.redis.asked import Api, Shop
from tests.redis.conftest import Outside, Run
from tests.unit.calls import genuine
from tests.waiting import wait_until

EVERY = timedelta(minutes=15)
AT_ONCE = timedelta(0)


@pytest.fixture
async def shop() -> Shop:
    """The bot."""
    return Shop()


@pytest.fixture
async def runtime(shop: Shop, run: Run) -> Runtime:
    """The running bot; it has no source of its own that could be asked."""
    return await run(shop.feature)


@pytest.fixture
def overdue(outside: Outside) -> Overdue:
    """What is to be asked about."""
    return Overdue(outside.calls, outside.keys)


@pytest.fixture
def look(
    asking: Callable[..., Reconciler], overdue: Overdue, outside: Outside
) -> Callable[[], OverdueAsking]:
    """One process that asks CloudPayments, and each call makes another."""

    def process() -> OverdueAsking:
        reconciler = asking("cloudpayments", public_id="pk_1")
        pace = {"cloudpayments": Pace(EVERY, timedelta(hours=24))}
        return OverdueAsking(reconciler, overdue, pace, partitions=outside.keys.partitions, now_ms=now_ms)

    return process


async def expected(runtime: Runtime, **how: Any) -> str:
    """The token of what user 501 is to pay, at CloudPayments and in no time unless it is said otherwise."""
    facts = {"payment": "tea", "amount_minor": 4200, "currency": "EUR", "feature": "shop"}
    facts |= {"source": "cloudpayments", "ends_within": AT_ONCE, **how}
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        return _expected(director, facts)


def _expected(director: Director, facts: dict[str, Any]) -> str:
    return director.expect(**facts)


def told(token: str, status: str = "Completed") -> dict[str, Any]:
    """What the API answers about the payment."""
    model = {"TransactionId": 12345, "Amount": 42.0, "Currency": "EUR", "InvoiceId": token, "Status": status}
    return {"Model": model, "Success": True, "Message": None}


UNKNOWN = {"Success": False, "Message": "Not found"}


async def listed(outside: Outside, token: str) -> int | None:
    """When the payment is to be asked about, in ms; None: not any more."""
    partition = partition_of_token(token, outside.keys.partitions)
    assert partition is not None
    score = await outside.calls.command("ZSCORE", outside.keys.overdue(partition), f"cloudpayments {token}")
    return None if score is None else int(score)


async def make_due(outside: Outside, token: str) -> None:
    """Let the time pass until it is to be asked about."""
    partition = partition_of_token(token, outside.keys.partitions)
    assert partition is not None
    await outside.calls.command("ZADD", outside.keys.overdue(partition), 0, f"cloudpayments {token}")


async def test_a_payment_that_has_not_ended_in_its_time_is_asked_about(
    shop: Shop,
    runtime: Runtime,
    provider_api: Api,
    look: Callable[[], OverdueAsking],
    outside: Outside,
) -> None:
    """What the API tells takes the way of a call, once; then nobody asks any more."""
    token = await expected(runtime)
    provider_api.answers = [told(token)]

    assert [await look().look() for _ in range(2)] == [1, 0]
    await outside.settled()

    assert shop.heard == [("tea", "payment.succeeded")]
    assert await listed(outside, token) is None
    assert len(provider_api.asked) == 1


async def test_it_is_left_alone_before_that(
    runtime: Runtime, provider_api: Api, look: Callable[[], OverdueAsking], outside: Outside
) -> None:
    """The payer has the time that the feature gave them."""
    before = now_ms()
    token = await expected(runtime, ends_within=timedelta(hours=1))

    assert await look().look() == 0
    assert provider_api.asked == []
    due_ms = await listed(outside, token)
    assert due_ms is not None
    assert before + 3_600_000 <= due_ms <= now_ms() + 3_600_000


@pytest.mark.parametrize("answer", [UNKNOWN, 500], ids=["unknown there", "the API is away"])
async def test_it_is_asked_about_ever_more_seldom(
    runtime: Runtime,
    provider_api: Api,
    look: Callable[[], OverdueAsking],
    outside: Outside,
    answer: Any,
) -> None:
    """After a quarter of an hour, half an hour, an hour, and no more seldom than once a day."""
    token = await expected(runtime)
    provider_api.answers = [answer]

    for minutes in (15, 30, 60, 120, 240, 480, 960, 1440, 1440):
        await make_due(outside, token)
        before = now_ms()
        assert await look().look() == 1
        due_ms = await listed(outside, token)
        assert due_ms is not None
        assert before <= due_ms - minutes * 60_000 <= now_ms()


async def test_of_several_processes_one_asks(
    runtime: Runtime, provider_api: Api, look: Callable[[], OverdueAsking]
) -> None:
    """Each payment, however many look at once."""
    provider_api.answers = [UNKNOWN]
    for _ in range(3):
        await expected(runtime)

    asked = await asyncio.gather(*(look().look() for _ in range(4)))

    assert sum(asked) == len(provider_api.asked) == 3


async def test_a_notification_that_comes_saves_the_question(
    shop: Shop,
    runtime: Runtime,
    provider_api: Api,
    look: Callable[[], OverdueAsking],
    outside: Outside,
) -> None:
    """The money is there: there is nothing left to ask about."""
    token = await expected(runtime)
    at = datetime.now(UTC)
    sent = genuine(cloudpayments.PROVIDER, "pay", Example(token, at))
    translation = cloudpayments.translate(sent, at)
    envelope = envelope_of(sent, translation, "cloudpayments", at)
    await outside.inbox.accept(envelope, remember_for=timedelta(days=1))
    await outside.settled()

    assert shop.heard == [("tea", "payment.succeeded")]
    assert await listed(outside, token) is None
    assert await look().look() == 0
    assert provider_api.asked == []


async def test_an_attempt_that_failed_ends_nothing(
    shop: Shop,
    runtime: Runtime,
    provider_api: Api,
    look: Callable[[], OverdueAsking],
    outside: Outside,
) -> None:
    """The payer may try again: it is asked about until it is paid or called off."""
    token = await expected(runtime)
    provider_api.answers = [told(token, "Declined"), told(token)]

    assert await look().look() == 1
    await outside.settled()
    assert await listed(outside, token) is not None
    await make_due(outside, token)
    assert await look().look() == 1
    await outside.settled()

    assert shop.heard == [("tea", "payment.failed"), ("tea", "payment.succeeded")]
    assert await listed(outside, token) is None


async def test_what_is_expected_no_more_is_not_asked_about(
    runtime: Runtime, provider_api: Api, look: Callable[[], OverdueAsking], outside: Outside
) -> None:
    """Whether it was cancelled or its token has expired."""
    token = await expected(runtime)
    assert await Expectations(outside.calls, outside.keys).cancel(token)

    assert await look().look() == 0
    assert await listed(outside, token) is None
    assert provider_api.asked == []


async def test_a_source_that_cannot_be_asked_is_told_and_left(
    runtime: Runtime, provider_api: Api, look: Callable[[], OverdueAsking], outside: Outside
) -> None:
    """The expectation stays, and its webhook may come."""
    token = await expected(runtime, source="nobody")
    partition = partition_of_token(token, outside.keys.partitions)
    assert partition is not None

    assert await look().look() == 0
    assert await outside.calls.command("ZCARD", outside.keys.overdue(partition)) == 0
    assert await Expectations(outside.calls, outside.keys).find(token) is not None
    assert provider_api.asked == []


async def test_without_a_source_nothing_is_listed(runtime: Runtime, outside: Outside) -> None:
    """Whoever names none pays nothing for it."""
    token = await expected(runtime, source="")

    assert await listed(outside, token) is None


async def test_the_list_lasts_as_long_as_what_is_expected(runtime: Runtime, outside: Outside) -> None:
    """As long as the one that lives longest, though nobody ever asks; then it is gone."""
    for days in (2, 9, 1):
        token = await expected(runtime, expires=timedelta(days=days))
    partition = partition_of_token(token, outside.keys.partitions)
    assert partition is not None

    left_ms = await outside.calls.command("PTTL", outside.keys.overdue(partition))
    assert timedelta(days=8) < timedelta(milliseconds=left_ms) <= timedelta(days=9)


async def test_a_booking_is_not_asked_about(runtime: Runtime) -> None:
    """No provider can be asked about one by its token."""
    with pytest.raises(ValueError, match="leave source out for a booking"):
        await expected(runtime, payment=None, booking="room", amount_minor=None, currency=None)


async def test_it_asks_by_itself(
    shop: Shop,
    runtime: Runtime,
    provider_api: Api,
    look: Callable[[], OverdueAsking],
    outside: Outside,
) -> None:
    """As long as the process works."""
    async with look().working(look_every=timedelta(milliseconds=20)):
        token = await expected(runtime, ends_within=timedelta(hours=1))
        provider_api.answers = [told(token)]
        await make_due(outside, token)
        await wait_until(
            lambda: shop.heard == [("tea", "payment.succeeded")], description="it was asked", seconds=45
        )
