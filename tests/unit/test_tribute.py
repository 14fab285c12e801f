"""Tribute's orders and subscriptions in our words."""

from datetime import timedelta

import orjson
import pytest

from routers.payments.events import PaymentEvent
from routers.payments.subscriptions import SubscriptionEvent
from routers.payments.tribute import ORDERS, PROVIDER, SUBSCRIPTIONS, translate
from tests.unit.calls import NOW, TOKEN, call, genuine


@pytest.mark.parametrize("own_type, model", ORDERS.items())
def test_each_step_of_an_order_has_its_word(own_type: str, model: type[PaymentEvent]) -> None:
    """With the amount, and the token that the order was made with."""
    translation = translate(genuine(PROVIDER, own_type), NOW)

    assert type(translation.event) is model
    assert isinstance(translation.event, PaymentEvent)
    assert (translation.event.amount_minor, translation.event.currency) == (4200, "EUR")
    assert translation.token == TOKEN


@pytest.mark.parametrize("own_type, model", SUBSCRIPTIONS.items())
def test_each_step_of_a_subscription_has_its_word(own_type: str, model: type[SubscriptionEvent]) -> None:
    """With how long it lasts; a user id in the body is no token."""
    translation = translate(genuine(PROVIDER, own_type), NOW)

    assert type(translation.event) is model
    assert isinstance(translation.event, SubscriptionEvent)
    assert translation.event.ends_at == NOW + timedelta(days=30)
    assert translation.token is None


def test_a_later_attempt_is_known_again() -> None:
    """It carries another time of sending, and is the same event."""
    body = orjson.loads(genuine(PROVIDER, "shop_order").body)
    again = call(orjson.dumps({**body, "sent_at": "2026-11-24T13:00:00Z"}))

    first = translate(genuine(PROVIDER, "shop_order"), NOW)
    assert translate(again, NOW).idempotency_key == first.idempotency_key


def test_another_type_keeps_its_name() -> None:
    """A donation is money that nobody expected."""
    assert translate(call(b'{"name":"new_donation","payload":{}}'), NOW).event.type == "tribute.new_donation"
