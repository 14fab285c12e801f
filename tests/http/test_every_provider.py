"""Every registered provider over real HTTP, down to a real Redis."""

import pytest
from redis.asyncio import Redis

from routers.dependencies import WebhookEndpoint
from routers.provider import Example, Provider, Received
from routers.registry import providers
from routers.verification import Secret
from tests.http.conftest import Served
from tests.http.test_webhooks import deliver, kept
from tests.unit.calls import NOW, SECRET, TOKEN, URL, genuine

EXAMPLES = [
    pytest.param(provider, own_type, id=f"{kind}-{own_type}")
    for kind, provider in providers().items()
    for own_type in provider.examples
]


@pytest.mark.parametrize("provider, own_type", EXAMPLES)
async def test_a_delivery_and_its_repeat_are_kept_once_and_answered_alike(
    served: Served, redis: Redis, provider: Provider, own_type: str
) -> None:
    """The answer is byte for byte what the provider wants to read, both times."""
    secrets = [Secret(SECRET)]
    served.edge.webhooks = {provider.kind: WebhookEndpoint(provider.kind, provider, secrets, URL)}
    example = Example(TOKEN, NOW)
    sent = genuine(provider, own_type, example)
    translation = provider.translate(sent, NOW)
    wanted = provider.answer(Received(sent, translation, secrets, NOW))

    answers = [await deliver(served, provider, own_type, example) for _ in range(2)]

    [envelope] = await kept(redis)
    assert [(each.status_code, each.content) for each in answers] == [(wanted.status, wanted.body)] * 2
    assert (envelope.type, envelope.token) == (translation.event.type, translation.token)
