"""Every registered provider over real HTTP, down to a real Redis."""

from ipaddress import ip_network

import pytest
from redis.asyncio import Redis

from routers.call import Call
from routers.decision import Decision
from routers.dependencies import WebhookEndpoint
from routers.payments.events import PaymentCheck
from routers.provider import Example, Provider, Received
from routers.question import Question
from tests.http.conftest import Served
from tests.http.test_webhooks import deliver_call, kept
from tests.unit.calls import NOW, TOKEN, URL, genuine, known, registered

PROVIDERS = [pytest.param(provider, id=kind) for kind, provider in registered().items()]


class CannedApi:
    """A provider's API that knows what the example is about."""

    def __init__(self, sent: Call) -> None:
        self._sent = sent

    async def ask(self, question: Question, *, refresh: bool = False) -> bytes | None:
        """The key, if it may be kept, otherwise the fact."""
        return self._sent.evidence if question.keep_for is not None else self._sent.fetched


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_delivery_and_its_repeat_are_kept_once_and_answered_alike(
    served: Served, redis: Redis, provider: Provider
) -> None:
    """Each example; the answer is byte for byte what the provider wants to read, both times."""
    secrets = [known(provider)]
    served.edge.webhooks = {provider.kind: WebhookEndpoint(provider.kind, provider, secrets, URL)}
    served.edge.trusted_proxies = [ip_network("127.0.0.1")]
    for own_type in provider.examples:
        await redis.flushall()
        sent = genuine(provider, own_type, Example(TOKEN, NOW))
        served.edge.asker = CannedApi(sent)
        translation = provider.translate(sent, NOW)
        received = Received(sent, translation, secrets, NOW)
        asks = isinstance(translation.event, PaymentCheck)
        wanted = provider.answer(received)
        if asks:
            assert provider.decided is not None
            wanted = provider.decided(received, Decision.DECLINED)

        answers = [await deliver_call(served, provider.kind, sent) for _ in range(2)]

        envelopes = await kept(redis)
        assert [(each.status_code, each.content) for each in answers] == [(wanted.status, wanted.body)] * 2
        assert [(each.type, each.token, each.body) for each in envelopes] == (
            [] if asks else [(translation.event.type, translation.token, sent.content)]
        )
