"""Stripe's subscriptions in our words."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from routers.call import Call
from routers.payments.stripe import PROVIDER, translate
from routers.payments.subscriptions import (
    SubscriptionCanceled,
    SubscriptionEvent,
    SubscriptionExpired,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionRenewed,
    SubscriptionResumed,
    SubscriptionStarted,
)
from routers.provider import Example
from tests.unit.calls import NOW, TOKEN, call, genuine

WORDS: dict[str, type[SubscriptionEvent]] = {
    "customer.subscription.created": SubscriptionStarted,
    "customer.subscription.updated": SubscriptionCanceled,
    "customer.subscription.paused": SubscriptionPaused,
    "customer.subscription.resumed": SubscriptionResumed,
    "customer.subscription.deleted": SubscriptionExpired,
    "invoice.paid": SubscriptionRenewed,
    "invoice.payment_failed": SubscriptionPastDue,
}


def changed(own_type: str, **members: Any) -> Call:
    """The example of *own_type*, its object with other members."""
    body = orjson.loads(genuine(PROVIDER, own_type).body)
    body["data"]["object"].update(members)
    return call(orjson.dumps(body))


@pytest.mark.parametrize("own_type, model", WORDS.items())
def test_each_type_has_its_word(own_type: str, model: type[SubscriptionEvent]) -> None:
    """Of one object, the subscription; with the token of its metadata and the end of what is paid for."""
    translation = translate(genuine(PROVIDER, own_type), NOW)
    begun = translate(genuine(PROVIDER, "customer.subscription.created"), NOW)

    assert type(translation.event) is model
    assert isinstance(translation.event, SubscriptionEvent)
    assert translation.event.ends_at == NOW + timedelta(days=30)
    assert (translation.token, translation.object_key) == (TOKEN, begun.object_key)


def test_a_renewal_tells_what_it_took() -> None:
    """To the minor unit; what a special currency writes in hundredths is converted here, too."""
    event = translate(genuine(PROVIDER, "invoice.paid"), NOW).event
    special = genuine(PROVIDER, "invoice.paid", Example(TOKEN, NOW, amount_minor=4200, currency="ISK"))
    converted = translate(special, NOW).event

    assert isinstance(event, SubscriptionRenewed)
    assert (event.amount_minor, event.currency) == (4200, "EUR")
    assert isinstance(converted, SubscriptionRenewed)
    assert (converted.amount_minor, converted.currency) == (42, "ISK")


@pytest.mark.parametrize("reason", ["subscription_create", "manual", None])
def test_only_an_invoice_of_a_later_period_renews(reason: str | None) -> None:
    """The first one is told by its checkout; a payment must not count twice."""
    event = translate(changed("invoice.paid", billing_reason=reason), NOW).event

    assert event.type == "stripe.invoice.paid"


def test_an_invoice_of_an_older_api_version_names_its_subscription_elsewhere() -> None:
    """The endpoint's version is the operator's choice."""
    older = changed(
        "invoice.paid",
        parent=None,
        subscription="sub_1",
        subscription_details={"metadata": {"token": TOKEN}},
        payment_intent="pi_1",
    )
    translation = translate(older, NOW)

    assert (translation.event.object_id, translation.token) == ("sub_1", TOKEN)


@pytest.mark.parametrize(
    "members, told",
    [
        ({"cancel_at_period_end": False, "status": "past_due"}, "subscription.past_due"),
        ({"cancel_at_period_end": False, "status": "active"}, "stripe.customer.subscription.updated"),
        ({"cancel_at_period_end": False, "cancel_at": 1_796_000_000}, "subscription.canceled"),
    ],
)
def test_an_update_is_told_by_what_is_plain_in_it(members: dict[str, Any], told: str) -> None:
    """It does not say what changed; the rest keeps Stripe's type."""
    assert translate(changed("customer.subscription.updated", **members), NOW).event.type == told


def test_an_incomplete_subscription_has_not_started() -> None:
    """Its first payment is still missing."""
    event = translate(changed("customer.subscription.created", status="incomplete"), NOW).event

    assert event.type == "stripe.customer.subscription.created"
