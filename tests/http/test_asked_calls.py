"""Calls that are believed or understood by what the provider's API answers."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from redis.asyncio import Redis

from routers.asker import ApiUnavailable, CredentialsRefused
from routers.dependencies import WebhookEndpoint
from routers.payments import mollie
from routers.payments.examples import paypal as examples
from routers.provider import Example
from routers.question import Question
from routers.verification import Secret
from tests.http.conftest import Served
from tests.http.test_webhooks import REFUSED, deliver_call, kept
from tests.unit.calls import NOW, SECRET, TOKEN, genuine, known, registered


class Api:
    """A provider's API that answers one thing, or nothing."""

    def __init__(self, answer: bytes | ApiUnavailable | None) -> None:
        self._answer = answer

    async def ask(self, question: Question, *, refresh: bool = False) -> bytes | None:
        """What it is made to answer."""
        if isinstance(self._answer, ApiUnavailable):
            raise self._answer
        return self._answer


async def test_a_call_that_the_api_does_not_confirm_is_refused(served: Served, redis: Redis) -> None:
    """A made-up payment is as good as an unsigned call."""
    served.edge.webhooks = {"mollie": WebhookEndpoint("mollie", mollie.PROVIDER, [Secret(SECRET)])}
    served.edge.asker = Api(None)
    response = await served.client.post("/webhooks/mollie", content=b"id=tr_madeup")

    assert (response.status_code, response.json()) == (401, REFUSED)
    assert await redis.dbsize() == 0


async def test_a_call_is_to_come_again_when_the_api_is_away(served: Served, redis: Redis) -> None:
    """Nothing is stored of it, and it is not refused: it may be genuine."""
    served.edge.webhooks = {"mollie": WebhookEndpoint("mollie", mollie.PROVIDER, [Secret(SECRET)])}
    served.edge.asker = Api(ApiUnavailable("api.mollie.com", "no answer in time"))
    response = await served.client.post("/webhooks/mollie", content=b"id=tr_12345")

    assert (response.status_code, response.headers["retry-after"]) == (503, "10")
    assert response.json()["type"] == "urn:fsm-gateway:problem:provider-unavailable"
    assert await redis.dbsize() == 0


class ChangedKey:
    """A provider's API that takes one key only, and writes down which were shown."""

    def __init__(self, taken: str, fact: bytes | None) -> None:
        self._taken, self._fact = taken, fact
        self.shown: list[str] = []

    async def ask(self, question: Question, *, refresh: bool = False) -> bytes | None:
        """The fact, for whoever shows the key."""
        self.shown.append(dict(question.headers)["Authorization"].removeprefix("Bearer "))
        if self.shown[-1] != self._taken:
            raise CredentialsRefused("api.mollie.com", "status 401")
        return self._fact


async def test_a_key_that_is_being_changed_drops_no_call(served: Served, redis: Redis) -> None:
    """The API is asked with each valid key until it takes one; with none, the call is to come again."""
    secrets = [Secret(b"old"), Secret(b"gone", not_after=NOW - timedelta(days=1)), Secret(b"new")]
    provider = mollie.PROVIDER.configured({})
    served.edge.webhooks = {"mollie": WebhookEndpoint("mollie", provider, secrets)}
    sent = genuine(provider, "paid", Example(TOKEN, NOW))
    api, closed = ChangedKey("new", sent.fetched), ChangedKey("other", sent.fetched)

    served.edge.asker = closed
    refused = await deliver_call(served, "mollie", sent)
    served.edge.asker = api
    taken = await deliver_call(served, "mollie", sent)

    assert (refused.status_code, taken.status_code) == (503, 200)
    assert (closed.shown, api.shown) == (["old", "new"], ["old", "new"])
    assert len(await kept(redis)) == 1


class ChangedCertificate:
    """A provider's API that has another certificate since it was asked."""

    def __init__(self, kept: bytes, now: bytes) -> None:
        self._kept, self._now = kept, now
        self.asked: list[bool] = []

    async def ask(self, question: Question, *, refresh: bool = False) -> bytes | None:
        """The one that was kept, or the new one."""
        self.asked.append(refresh)
        return self._now if refresh else self._kept


OTHERS_KEY = rsa.generate_private_key(65537, 2048).public_key()
NAME = "messageverificationcerts.paypal.com"


@pytest.mark.parametrize(
    "kept_one",
    [
        examples.AUTHORITY.issued(NAME, OTHERS_KEY, not_after=NOW - timedelta(days=1)),
        examples.AUTHORITY.issued(NAME, OTHERS_KEY),
    ],
    ids=["expired", "of another key"],
)
async def test_a_certificate_that_was_changed_is_asked_for_again(
    served: Served, redis: Redis, kept_one: bytes
) -> None:
    """One that is not valid any more, and a valid one that another key belongs to."""
    provider = registered()["paypal"]
    sent = genuine(provider, "PAYMENT.CAPTURE.COMPLETED", Example(TOKEN, NOW))
    served.edge.webhooks = {"paypal": WebhookEndpoint("paypal", provider, [known(provider)])}
    api = ChangedCertificate(kept_one, sent.evidence)
    served.edge.asker = api

    answer = await deliver_call(served, "paypal", sent)

    assert (answer.status_code, api.asked) == (200, [False, True])
    assert len(await kept(redis)) == 1
