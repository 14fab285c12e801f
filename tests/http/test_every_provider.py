"""Every registered provider over real HTTP, down to a real Redis."""

from ipaddress import ip_network

import pytest
from redis.asyncio import Redis

from routers.call import Call
from routers.dependencies import WebhookEndpoint
from routers.provider import Example, Provider, Received
from routers.question import Question
from tests.http.conftest import Served
from tests.http.test_webhooks import deliver_call, kept
from tests.unit.calls import NOW, TOKEN, URL, genuine, known, registered

EXAMPLES = [
    pytest.param(provider, own_type, id=f"{kind}-{own_type}")
    for kind, provider in registered().items()
    for own_type in provider.examples
]


class CannedApi:
    """A provider's API that knows what the example is about."""

    def __init__(self, sent: Call) -> None:
        self._sent = sent

    async def ask(self, question: Question, *, refresh: bool = False) -> bytes | None:
        """The key, if it may be kept, otherwise the fact."""
        return self._sent.evidence if question.keep_for is not None else self._sent.fetched


@pytest.mark.parametrize("provider, own_type", EXAMPLES)
async def test_a_delivery_and_its_repeat_are_kept_once_and_answered_alike(
    served: Served, redis: Redis, provider: Provider, own_type: str
) -> None:
    """The answer is byte for byte what the provider wants to read, both times."""
    secrets = [known(provider)]
    endpoint = WebhookEndpoint(provider.kind, provider, secrets, URL)
    sent = genuine(provider, own_type, Example(TOKEN, NOW))
    served.edge.webhooks = {provider.kind: endpoint}
    served.edge.trusted_proxies = [ip_network("127.0.0.1")]
    served.edge.asker = CannedApi(sent)
    translation = provider.translate(sent, NOW)
    wanted = provider.answer(Received(sent, translation, secrets, NOW))

    answers = [await deliver_call(served, provider.kind, sent) for _ in range(2)]

    [envelope] = await kept(redis)
    assert [(each.status_code, each.content) for each in answers] == [(wanted.status, wanted.body)] * 2
    assert (envelope.type, envelope.token) == (translation.event.type, translation.token)
    assert envelope.body == sent.content
