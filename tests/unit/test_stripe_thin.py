"""Stripe's thin events: what they name is looked up, and told as its snapshot would be."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from routers.call import Call
from routers.payments.events import PaymentSucceeded
from routers.payments.stripe import PROVIDER, sign
from routers.question import Question
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, call, genuine

THIN: dict[str, Any] = {
    "id": "evt_test_65RCjHm",
    "object": "v2.core.event",
    "type": "v1.payment_intent.succeeded",
    "created": "2026-11-24T12:00:00.000Z",
    "livemode": False,
    "context": "acct_1",
    "related_object": {"id": "pi_1", "type": "payment_intent", "url": "/v1/payment_intents/pi_1"},
}


def thin(**members: Any) -> Call:
    """A thin event, signed, with other members."""
    body = orjson.dumps({**THIN, **members})
    return call(body, sign(body, SECRET, NOW))


def question(asked_about: Call) -> Question | None:
    """What Stripe's API is asked about a call, by a source with a key."""
    keyed = PROVIDER.configured({"api_key": "rk_test_1"})
    assert keyed.lookup is not None
    return keyed.lookup(asked_about, [Secret(SECRET)], NOW)


def test_a_thin_event_is_signed_like_any_other() -> None:
    """One endpoint can take both."""
    PROVIDER.verify(thin(), [Secret(SECRET)], NOW)


def test_the_object_is_asked_for_with_the_key() -> None:
    """In the context that the event names, and in the version that our translation reads."""
    asked = question(thin())

    assert asked is not None
    assert asked.url == "https://api.stripe.com/v1/payment_intents/pi_1"
    assert dict(asked.headers)["Authorization"] == "Bearer rk_test_1"
    assert dict(asked.headers)["Stripe-Context"] == "acct_1"
    assert "Stripe-Version" in dict(asked.headers)


def test_once_looked_up_it_is_told_as_its_snapshot() -> None:
    """The same word, amount, object and token."""
    snapshot = genuine(PROVIDER, "payment_intent.succeeded")
    intent = orjson.dumps(orjson.loads(snapshot.body)["data"]["object"])
    told = PROVIDER.translate(replace(thin(), fetched=intent), NOW)
    known = PROVIDER.translate(snapshot, NOW)

    assert isinstance(told.event, PaymentSucceeded)
    assert (told.object_key, told.token) == (known.object_key, TOKEN)
    assert (told.event.amount_minor, told.event.occurred_at) == (4200, NOW)
    assert told.idempotency_key == THIN["id"]


def test_without_a_key_it_keeps_its_type() -> None:
    """Kept whole, and nothing is asked."""
    translation = PROVIDER.translate(thin(), NOW)

    assert PROVIDER.configured({}).lookup is None
    assert (translation.event.type, translation.event.object_id) == (
        "stripe.v1.payment_intent.succeeded",
        "pi_1",
    )


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/v1/x", "//evil.example/v1/x", "/v1/../secrets", "@evil.example", "", 7, None],
)
def test_only_paths_of_the_api_are_asked_for(url: object) -> None:
    """An event's text must not lead our key elsewhere."""
    assert question(thin(related_object={"id": "pi_1", "url": url})) is None


def test_snapshots_and_other_bodies_are_not_asked_about() -> None:
    """They carry their facts, or none."""
    assert question(genuine(PROVIDER, "payment_intent.succeeded")) is None
    assert question(call(b"no json")) is None
