"""Paddle's events in our words, and its signature."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from routers.event import Event
from routers.payments.events import (
    PaymentCanceled,
    PaymentDisputed,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.paddle import PROVIDER, TRANSLATIONS, translate
from routers.payments.subscriptions import (
    SubscriptionCanceled,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionRenewed,
    SubscriptionResumed,
    SubscriptionStarted,
)
from routers.provider import Example
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, call, genuine

WORDS: dict[str, type[Event]] = {
    "transaction.paid": PaymentPending,
    "transaction.completed": PaymentSucceeded,
    "transaction.payment_failed": PaymentFailed,
    "transaction.canceled": PaymentCanceled,
    "adjustment.created": PaymentDisputed,
    "adjustment.updated": PaymentRefunded,
    "subscription.activated": SubscriptionStarted,
    "subscription.trialing": SubscriptionStarted,
    "subscription.past_due": SubscriptionPastDue,
    "subscription.paused": SubscriptionPaused,
    "subscription.resumed": SubscriptionResumed,
    "subscription.canceled": SubscriptionCanceled,
}


def changed(own_type: str, **data: Any) -> bytes:
    """The example of *own_type* with other data."""
    body = orjson.loads(genuine(PROVIDER, own_type).body)
    body["data"].update(data)
    return orjson.dumps(body)


@pytest.mark.parametrize("own_type, model", WORDS.items())
def test_each_type_has_its_word(own_type: str, model: type[Event]) -> None:
    """With the time that Paddle orders its events by."""
    event = translate(genuine(PROVIDER, own_type), NOW).event

    assert type(event) is model
    assert event.occurred_at == NOW
    assert WORDS.keys() == TRANSLATIONS.keys()


def test_a_transaction_is_paid_to_the_lowest_denomination() -> None:
    """The amount is text there, and never becomes a float."""
    translation = translate(genuine(PROVIDER, "transaction.completed"), NOW)

    assert isinstance(translation.event, PaymentSucceeded)
    assert (translation.event.amount_minor, translation.event.currency) == (4200, "EUR")
    assert translation.token == TOKEN


def test_yen_have_no_cents() -> None:
    """Paddle writes the lowest denomination of each currency."""
    body = PROVIDER.examples["transaction.completed"](Example(TOKEN, NOW, amount_minor=500, currency="JPY"))
    event = translate(call(body), NOW).event

    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency) == (500, "JPY")


def test_a_later_period_is_a_renewal_and_no_payment_of_the_expectation() -> None:
    """A subscription's own charge carries the old token; it must not pay a second time."""
    period = {"ends_at": "2026-12-24T12:00:00Z"}
    sent = changed(
        "transaction.completed",
        origin="subscription_recurring",
        subscription_id="sub_1",
        billing_period=period,
    )
    event = translate(call(sent), NOW).event

    assert isinstance(event, SubscriptionRenewed)
    assert (event.object_id, event.amount_minor, event.ends_at) == (
        "sub_1",
        4200,
        datetime(2026, 12, 24, 12, tzinfo=UTC),
    )


def test_each_part_that_is_given_back_counts() -> None:
    """Paddle tells single refunds, so two alike are two: they have no rank that would hide the second."""
    event = translate(call(changed("adjustment.updated", type="partial")), NOW).event

    assert isinstance(event, PaymentPartiallyRefunded)
    assert event.refund_id is not None
    assert event.rank is None


@pytest.mark.parametrize("status", ["pending_approval", "rejected"])
def test_a_refund_that_is_not_approved_is_none(status: str) -> None:
    """It keeps Paddle's name until it is."""
    event = translate(call(changed("adjustment.updated", status=status)), NOW).event

    assert event.type == "paddle.adjustment.updated"


def test_refund_and_payment_are_of_one_object() -> None:
    """The transaction."""
    paid = translate(genuine(PROVIDER, "transaction.completed"), NOW)
    refunded = translate(genuine(PROVIDER, "adjustment.updated"), NOW)

    assert paid.object_key == refunded.object_key


def test_the_published_vector_is_accepted() -> None:
    """From Paddle's own library's tests: several signatures, several secrets, one pair that fits."""
    prefix = b"pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_"
    suffixes = (
        b"TjIG2BXbm83HPXqNfziwe506sBEdqL/4",
        b"vB/yIOnTOCWIvpBadM5jzBZPHc7OmdSo",
        b"WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh",
    )
    signature = "d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02"
    sent = call(b"hello-world", [("Paddle-Signature", f"ts=1696195954;h1=dummy;h1={signature}")])
    at = datetime.fromtimestamp(1696195954, UTC)

    PROVIDER.verify(sent, [Secret(prefix + suffix) for suffix in suffixes], at)
    with pytest.raises(Refused):
        PROVIDER.verify(sent, [Secret(prefix + suffix) for suffix in suffixes[:2]], at)


@pytest.mark.parametrize(
    "late, reason",
    [(timedelta(seconds=31), RefusalReason.TOO_OLD), (timedelta(seconds=-31), RefusalReason.IN_FUTURE)],
)
def test_paddle_is_believed_for_thirty_seconds(late: timedelta, reason: RefusalReason) -> None:
    """Both ways."""
    sent = genuine(PROVIDER, "transaction.completed", Example(TOKEN, NOW - late))

    with pytest.raises(Refused) as caught:
        PROVIDER.verify(sent, [Secret(SECRET)], NOW)
    assert caught.value.reason is reason
